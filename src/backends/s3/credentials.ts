/** Access keys of the S3 family: those the user gave, or whatever Amazon's own tools would use on this machine. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { AuthenticationError } from '../errors.ts';

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Temporary credentials have one. */
  readonly sessionToken?: string;
}

export interface CredentialSource {
  /** @throws AuthenticationError */
  get(): Promise<S3Credentials>;
  /** Called when the store says they have expired. Returns whether the next `get` may give other ones. */
  refresh(): Promise<boolean>;
}

export function fixedCredentials(accessKeyId: string, secretAccessKey: string): CredentialSource {
  const credentials: S3Credentials = { accessKeyId, secretAccessKey };
  return {
    get: () => Promise.resolve(credentials),
    refresh: () => Promise.resolve(false),
  };
}

/**
 * Amazon's chain: environment, shared configuration with profiles, SSO and assumed roles, web identity, container and instance role. Renews
 * temporary credentials before they expire.
 */
export async function awsCredentialChain(): Promise<CredentialSource> {
  const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
  // The services that hand out credentials are reached as the store is: through the proxies of the environment.
  const agentOptions = { keepAlive: true, proxyEnv: process.env };
  const requestHandler = { httpAgent: new HttpAgent(agentOptions), httpsAgent: new HttpsAgent(agentOptions) };
  const provide = fromNodeProviderChain({ clientConfig: { requestHandler } });
  const get = async (forceRefresh: boolean): Promise<S3Credentials> => {
    try {
      const { accessKeyId, secretAccessKey, sessionToken } = await provide({ forceRefresh });
      return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new AuthenticationError(
        `no credentials found: set backend-login and backend-password in the authfile, or let "aws sts get-caller-identity" work for this user (${reason})`,
        { cause },
      );
    }
  };
  return {
    get: () => get(false),
    refresh: async () => {
      await get(true);
      return true;
    },
  };
}
