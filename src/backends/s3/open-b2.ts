/**
 * Backblaze B2 by its S3 interface. Which endpoint, the account tells: one call of B2's own interface with the application key.
 * https://www.backblaze.com/apidocs/b2-authorize-account
 */
import type { Backend } from '../backend.ts';
import type { BackendSpec } from '../backend-factory.ts';
import { AuthenticationError, BackendError, MisconfigurationError, NoSuchContainerError, PermissionError } from '../errors.ts';
import { firstContact } from '../first-contact.ts';
import type { HttpClient } from '../http/http-client.ts';
import { openHttpClient } from '../http/http-options.ts';
import { isTemporaryStatus } from '../http/http-status.ts';
import { parseJson } from '../http/json.ts';
import { openS3 } from './open-s3.ts';
import { parseB2Url } from './s3-location.ts';

const API_ORIGIN = 'https://api.backblazeb2.com';
const NEEDED_CAPABILITIES = ['listBuckets', 'listFiles', 'readFiles', 'writeFiles', 'deleteFiles'];

/** The parts of the answer that matter. */
interface Authorization {
  readonly apiInfo?: {
    readonly storageApi?: {
      readonly s3ApiUrl?: string;
      readonly allowed?: {
        readonly capabilities?: readonly string[];
        readonly buckets?: readonly { readonly name?: string | null }[] | null;
      };
    };
  };
}

/** `apiOrigin` is for tests. */
export async function openB2(spec: BackendSpec, apiOrigin: string = API_ORIGIN): Promise<Backend> {
  const { bucket, prefix } = parseB2Url(spec.url);
  const http = openHttpClient(spec);
  let endpoint: URL;
  try {
    const authorization = await firstContact(() => authorize(http, spec, apiOrigin));
    endpoint = s3Endpoint(authorization, bucket);
  } catch (error) {
    await http[Symbol.asyncDispose]();
    throw error;
  }
  if (spec.options['no-ssl'] === true) endpoint.protocol = 'http:';
  // s3.<region>.backblazeb2.com
  const region = endpoint.hostname.split('.')[1] ?? 'us-west-004';
  return openS3(spec, {
    location: { origin: endpoint.origin, bucket, prefix, virtualHost: false },
    signature: { version: 4, region },
    objectHeaders: {},
    regionCure: (right) => `the account is in region ${right}`,
    http,
  });
}

async function authorize(http: HttpClient, { login = '', password = '' }: BackendSpec, origin: string): Promise<Authorization> {
  const response = await http.request({
    method: 'GET',
    origin,
    path: '/b2api/v4/b2_authorize_account',
    headers: { authorization: `Basic ${Buffer.from(`${login}:${password}`, 'utf8').toString('base64')}` },
  });
  if (response.status === 200) return parseJson<Authorization>(response.body, origin);
  if (response.status === 401)
    throw new AuthenticationError('Backblaze does not accept the application key; check backend-login (key id) and backend-password');
  const waiting = response.retryAfterMs === undefined ? {} : { retryAfterMs: response.retryAfterMs };
  throw new BackendError(`Backblaze answered HTTP ${response.status}`, { temporary: isTemporaryStatus(response.status), ...waiting });
}

/** @throws PermissionError, NoSuchContainerError, if the key cannot be used for this bucket */
function s3Endpoint({ apiInfo }: Authorization, bucket: string): URL {
  const { s3ApiUrl = '', allowed = {} } = apiInfo?.storageApi ?? {};
  if (!URL.canParse(s3ApiUrl)) throw new MisconfigurationError('this Backblaze account has no S3 endpoint');
  const missing = NEEDED_CAPABILITIES.filter((name) => allowed.capabilities?.includes(name) !== true);
  if (missing.length > 0)
    throw new PermissionError(`the application key lacks the capabilities ${missing.join(', ')}; create one that has them`);
  const buckets = allowed.buckets?.map(({ name }) => name) ?? [];
  if (buckets.length > 0 && !buckets.includes(bucket)) {
    const all = buckets.map((name) => name ?? '(deleted)').join(', ');
    throw new NoSuchContainerError(`the application key is restricted to other buckets than ${bucket}: ${all}`);
  }
  return new URL(s3ApiUrl);
}
