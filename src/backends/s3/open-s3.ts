/** Opens a bucket of the S3 family: credentials, signer, first contact, capabilities. */
import type { Backend } from '../backend.ts';
import type { BackendSpec } from '../backend-factory.ts';
import { HostNotFoundError, MisconfigurationError } from '../errors.ts';
import { firstContact } from '../first-contact.ts';
import type { HttpClient } from '../http/http-client.ts';
import { openHttpClient, optionValue } from '../http/http-options.ts';
import { awsCredentialChain, fixedCredentials, type CredentialSource } from './credentials.ts';
import { S3Backend } from './s3-backend.ts';
import { probeConditionalPut, type ConditionalPut } from './s3-conditional-put.ts';
import { S3Connection } from './s3-connection.ts';
import { probeS3Listing } from './s3-list.ts';
import { awsLocation, parseAwsUrl, parseCompatibleUrl, type S3Location } from './s3-location.ts';
import { s3Quirks, type S3Quirks } from './s3-quirks.ts';
import { signatureV2 } from './signature-v2.ts';
import { signatureV4 } from './signature-v4.ts';

/** Options of s3:// for the storage class; the first that is set counts. */
const STORAGE_CLASSES: readonly (readonly [string, string])[] = [
  ['ia', 'STANDARD_IA'],
  ['oia', 'ONEZONE_IA'],
  ['rrs', 'REDUCED_REDUNDANCY'],
  ['it', 'INTELLIGENT_TIERING'],
];
const DEFAULT_SIGNING_REGION = 'us-east-1';

/** s3:// */
export async function openAmazonS3(spec: BackendSpec): Promise<Backend> {
  const { region, bucket, prefix } = parseAwsUrl(spec.url);
  const location = awsLocation(region, bucket, prefix, spec.options['no-ssl'] !== true);
  const storageClass = STORAGE_CLASSES.find(([option]) => spec.options[option] === true)?.[1] ?? 'STANDARD';
  const objectHeaders = {
    'x-amz-storage-class': storageClass,
    ...(spec.options['sse'] === true ? { 'x-amz-server-side-encryption': 'AES256' } : {}),
  };
  const regionCure = (right: string): string => `use the storage URL s3://${right}/${bucket}/${prefix}`;
  try {
    return await openS3(spec, { location, signature: { version: 4, region }, objectHeaders, regionCure });
  } catch (error) {
    if (!(error instanceof HostNotFoundError) || error.temporary) throw error;
    throw new MisconfigurationError(`there is no AWS region "${region}"; check the storage URL (${error.message})`, { cause: error });
  }
}

/** s3c:// and s3c4:// */
export function openCompatibleS3(spec: BackendSpec, signatureVersion: 2 | 4): Promise<Backend> {
  const location = parseCompatibleUrl(spec.url, spec.options['no-ssl'] !== true);
  const region = optionValue(spec, 'sig-region') ?? DEFAULT_SIGNING_REGION;
  const regionCure = (right: string): string => `use the backend option sig-region=${right}`;
  const signature = signatureVersion === 2 ? ({ version: 2 } as const) : ({ version: 4, region } as const);
  return openS3(spec, { location, signature, objectHeaders: {}, regionCure });
}

export interface S3Access {
  readonly location: S3Location;
  readonly signature: { readonly version: 2 } | { readonly version: 4; readonly region: string };
  readonly objectHeaders: Readonly<Record<string, string>>;
  readonly regionCure: (region: string) => string;
  /** Default: made from the spec's options. Passes into the backend's ownership. */
  readonly http?: HttpClient;
}

export async function openS3(spec: BackendSpec, access: S3Access): Promise<Backend> {
  const { location, signature, objectHeaders, regionCure } = access;
  const http = access.http ?? openHttpClient(spec);
  try {
    const credentials = await credentialsFor(spec);
    const signer =
      signature.version === 2
        ? signatureV2({ credentials, hostBucket: location.virtualHost ? `/${location.bucket}` : '' })
        : signatureV4({ credentials, region: signature.region, signBody: location.origin.startsWith('http:') });
    const connection = new S3Connection({ location, http, credentials, signer, regionCure });
    await firstContact(() => probeS3Listing(connection));
    const quirks = s3Quirks(new URL(location.origin).hostname, signature.version);
    const conditional = await conditionalPut(quirks, connection);
    return new S3Backend({
      url: spec.url,
      connection,
      quirks,
      conditionalCreate: conditional.create,
      conditionalReplace: conditional.replace,
      objectHeaders,
      maxConnections: spec.maxConnections,
    });
  } catch (error) {
    await http[Symbol.asyncDispose]();
    throw error;
  }
}

async function credentialsFor(spec: BackendSpec): Promise<CredentialSource> {
  const { login, password } = spec;
  return login === undefined || password === undefined ? awsCredentialChain() : fixedCredentials(login, password);
}

async function conditionalPut({ conditionalPut: known }: S3Quirks, connection: S3Connection): Promise<ConditionalPut> {
  if (known === 'probe') return firstContact(() => probeConditionalPut(connection));
  return { create: known === 'yes', replace: known === 'yes' };
}
