/**
 * AWS Signature Version 2 (HMAC-SHA-1), for stores that know nothing newer: s3c://. It does not cover the body, so the body's MD5 goes
 * into the signature by way of Content-MD5.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
 */
import { createHash, createHmac } from 'node:crypto';
import type { CredentialSource } from './credentials.ts';
import type { RequestSigner, SignableRequest } from './signer.ts';

/** Query parameters that name another resource and are part of it in the signature, of those this program uses. */
const SUBRESOURCES: ReadonlySet<string> = new Set(['delete', 'location', 'uploads', 'uploadId', 'partNumber', 'versionId', 'versions']);

export interface SignatureV2Options {
  readonly credentials: CredentialSource;
  /** `/bucket` if the bucket is in the host name: the signature has it in the path always. Else empty. */
  readonly hostBucket: string;
  /** The time as in the Date header. For tests. */
  readonly date?: () => string;
}

export function signatureV2({ credentials, hostBucket, date = () => new Date().toUTCString() }: SignatureV2Options): RequestSigner {
  return {
    async sign(request: SignableRequest): Promise<Record<string, string>> {
      const { accessKeyId, secretAccessKey, sessionToken } = await credentials.get();
      const headers: Record<string, string> = {
        ...request.headers,
        host: request.host,
        date: date(),
        ...(request.body === undefined ? {} : { 'content-md5': bodyMd5(request.body) }),
        ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
      };
      const text = stringToSign({ ...request, headers }, hostBucket);
      const signature = createHmac('sha1', secretAccessKey).update(text, 'utf8').digest('base64');
      return { ...headers, authorization: `AWS ${accessKeyId}:${signature}` };
    },
  };
}

function stringToSign(request: SignableRequest, hostBucket: string): string {
  const { method, headers, path, query } = request;
  const amazonHeaders = Object.keys(headers)
    .filter((name) => name.startsWith('x-amz-'))
    .sort()
    .map((name) => `${name}:${(headers[name] ?? '').trim()}\n`);
  const subresources = Object.keys(query)
    .filter((name) => SUBRESOURCES.has(name))
    .sort()
    .map((name) => (query[name] === '' ? name : `${name}=${query[name]}`));
  const resource = hostBucket + path + (subresources.length > 0 ? `?${subresources.join('&')}` : '');
  return [
    method,
    headers['content-md5'] ?? '',
    headers['content-type'] ?? '',
    headers['date'] ?? '',
    amazonHeaders.join('') + resource,
  ].join('\n');
}

function bodyMd5(body: readonly Uint8Array[]): string {
  const hash = createHash('md5');
  for (const part of body) hash.update(part);
  return hash.digest('base64');
}
