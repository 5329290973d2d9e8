/**
 * Checks AWS signatures as a server does, written from Amazon's description and without the code that makes them.
 * V4: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 * V2: https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
 */
import { createHash, createHmac } from 'node:crypto';
import type { ServedRequest } from './loopback-server.ts';

const MAX_SKEW_MS = 15 * 60_000;

export interface S3Account {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Requests must carry it. */
  readonly sessionToken?: string;
  readonly expired?: boolean;
}

export interface SignatureRules {
  readonly accounts: readonly S3Account[];
  readonly region: string;
  readonly signatureVersion: 2 | 4;
  readonly nowMs: number;
  /** The bucket of a virtual host, which version 2 signs. */
  readonly hostBucket?: string | undefined;
}

/** Why a request is refused. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly region?: string;
}

const refuse = (status: number, code: string, message: string): Refusal => ({ status, code, message });

/** Undefined if the signature is right. */
export function checkSignature(request: ServedRequest, rules: SignatureRules): Refusal | undefined {
  const authorization = request.headers.authorization;
  if (authorization === undefined) return refuse(403, 'AccessDenied', 'no Authorization');
  const refusal = rules.signatureVersion === 4 ? checkV4(request, authorization, rules) : checkV2(request, authorization, rules);
  return refusal ?? checkBody(request);
}

function checkV4(request: ServedRequest, authorization: string, rules: SignatureRules): Refusal | undefined {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  if (match === null) return refuse(400, 'AuthorizationHeaderMalformed', 'not a V4 header');
  const [, keyId = '', date = '', region = '', signedHeaders = '', signature = ''] = match;
  const account = rules.accounts.find(({ accessKeyId }) => accessKeyId === keyId);
  if (account === undefined) return refuse(403, 'InvalidAccessKeyId', 'unknown key');
  if (region !== rules.region) {
    return {
      ...refuse(400, 'AuthorizationHeaderMalformed', `the region '${region}' is wrong; expecting '${rules.region}'`),
      region: rules.region,
    };
  }
  const time = header(request, 'x-amz-date');
  if (!/^\d{8}T\d{6}Z$/.test(time) || !time.startsWith(date)) return refuse(403, 'AccessDenied', 'bad x-amz-date');
  const skew = checkClock(Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z')), rules.nowMs);
  if (skew !== undefined) return skew;
  const names = signedHeaders.split(';');
  const unsigned = Object.keys(request.headers).find(
    (name) => (name === 'host' || name === 'content-md5' || name.startsWith('x-amz-')) && !names.includes(name),
  );
  if (unsigned !== undefined || names.toSorted(compare).join(';') !== signedHeaders)
    return refuse(403, 'AccessDenied', `header ${unsigned ?? 'order'} is not signed`);
  const canonical = [
    request.method,
    request.path,
    canonicalQuery(request.rawQuery),
    ...names.map((name) => `${name}:${header(request, name).trim().replaceAll(/ +/g, ' ')}`),
    '',
    signedHeaders,
    header(request, 'x-amz-content-sha256'),
  ].join('\n');
  const scope = `${date}/${region}/s3/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = [date, region, 's3', 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${account.secretAccessKey}`,
  );
  if (createHmac('sha256', key).update(text).digest('hex') !== signature) return refuse(403, 'SignatureDoesNotMatch', 'wrong signature');
  return checkToken(request, account) ?? checkPayloadHash(request);
}

function checkV2(request: ServedRequest, authorization: string, rules: SignatureRules): Refusal | undefined {
  const match = /^AWS ([^:]+):([A-Za-z0-9+/=]+)$/.exec(authorization);
  if (match === null) return refuse(400, 'InvalidArgument', 'not a V2 header');
  const [, keyId = '', signature = ''] = match;
  const account = rules.accounts.find(({ accessKeyId }) => accessKeyId === keyId);
  if (account === undefined) return refuse(403, 'InvalidAccessKeyId', 'unknown key');
  const skew = checkClock(Date.parse(header(request, 'date')), rules.nowMs);
  if (skew !== undefined) return skew;
  const amz = Object.keys(request.headers)
    .filter((name) => name.startsWith('x-amz-'))
    .toSorted(compare)
    .map((name) => `${name}:${header(request, name)}\n`)
    .join('');
  const sub = request.query.has('delete') ? '?delete' : '';
  const resource = (rules.hostBucket === undefined ? '' : `/${rules.hostBucket}`) + request.path + sub;
  const text = `${request.method}\n${header(request, 'content-md5')}\n${header(request, 'content-type')}\n${header(request, 'date')}\n${amz}${resource}`;
  if (createHmac('sha1', account.secretAccessKey).update(text).digest('base64') !== signature) {
    return refuse(403, 'SignatureDoesNotMatch', 'wrong signature');
  }
  if (request.body.byteLength > 0 && request.headers['content-md5'] === undefined)
    return refuse(400, 'InvalidRequest', 'the body is not protected');
  return checkToken(request, account);
}

function checkClock(timeMs: number, nowMs: number): Refusal | undefined {
  return Math.abs(timeMs - nowMs) <= MAX_SKEW_MS ? undefined : refuse(403, 'RequestTimeTooSkewed', 'the difference of time is too large');
}

function checkToken(request: ServedRequest, account: S3Account): Refusal | undefined {
  if ((request.headers['x-amz-security-token'] ?? undefined) !== account.sessionToken)
    return refuse(400, 'InvalidToken', 'wrong session token');
  return account.expired === true ? refuse(400, 'ExpiredToken', 'the token has expired') : undefined;
}

function checkPayloadHash(request: ServedRequest): Refusal | undefined {
  const hash = header(request, 'x-amz-content-sha256');
  if (hash === 'UNSIGNED-PAYLOAD') return request.secure ? undefined : refuse(400, 'InvalidRequest', 'the body must be signed without TLS');
  return hash === createHash('sha256').update(request.body).digest('hex')
    ? undefined
    : refuse(400, 'XAmzContentSHA256Mismatch', 'the body does not match its hash');
}

function checkBody(request: ServedRequest): Refusal | undefined {
  const md5 = request.headers['content-md5'];
  if (md5 === undefined || md5 === createHash('md5').update(request.body).digest('base64')) return undefined;
  return refuse(400, 'BadDigest', 'the body does not match Content-MD5');
}

function canonicalQuery(raw: string): string {
  return raw
    .split('&')
    .filter((item) => item !== '')
    .map((item) => (item.includes('=') ? item : `${item}=`))
    .toSorted(compare)
    .join('&');
}

function header(request: ServedRequest, name: string): string {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : (value ?? '');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
