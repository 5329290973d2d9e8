import { expect, test } from 'vitest';
import { fixedCredentials } from './credentials.ts';
import { signatureV2 } from './signature-v2.ts';
import { signatureV4 } from './signature-v4.ts';

const credentials = fixedCredentials('AKIAIOSFODNN7EXAMPLE', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY');
const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "Examples: Signature Calculations" */
const v4Examples = [
  {
    name: 'GET of a part of an object',
    request: { method: 'GET', path: '/test.txt', query: {}, headers: { range: 'bytes=0-9' } },
    authorization:
      'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  },
  {
    name: 'GET of a bucket’s lifecycle',
    request: { method: 'GET', path: '/', query: { lifecycle: '' }, headers: {} },
    authorization:
      'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  },
  {
    name: 'list of objects',
    request: { method: 'GET', path: '/', query: { 'max-keys': '2', prefix: 'J' }, headers: {} },
    authorization:
      'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  },
];

test.for(v4Examples)("version 4 signs Amazon's example: $name", async ({ request, authorization }) => {
  const signer = signatureV4({ credentials, region: 'us-east-1', signBody: true, now: () => new Date('2013-05-24T00:00:00Z') });
  const headers = await signer.sign({ ...request, host: 'examplebucket.s3.amazonaws.com' });
  expect(headers['authorization']).toBe(authorization);
});

test('version 4 leaves the body out within TLS, and signs a port that is not the default one', async () => {
  const signer = signatureV4({ credentials, region: 'us-east-1', signBody: false });
  const request = { method: 'PUT', path: '/k', query: {}, headers: {}, body: [Buffer.from('x')] };
  const [plain, withPort] = await Promise.all([signer.sign({ ...request, host: 'host' }), signer.sign({ ...request, host: 'host:9000' })]);
  expect([plain['x-amz-content-sha256'], plain['host'], withPort['host']]).toEqual(['UNSIGNED-PAYLOAD', 'host', 'host:9000']);
  expect(withPort['authorization']).not.toBe(plain['authorization']);
});

test('version 4 hashes all parts of a body', async () => {
  const signer = signatureV4({ credentials, region: 'us-east-1', signBody: true });
  const body = [Buffer.from('Welcome to '), Buffer.from('Amazon S3.')];
  const headers = await signer.sign({ method: 'PUT', host: 'host', path: '/k', query: {}, headers: {}, body });
  expect(headers['x-amz-content-sha256']).toBe('44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072');
});

test('version 4 hashes a body that is not there as an empty one', async () => {
  const signer = signatureV4({ credentials, region: 'us-east-1', signBody: true });
  const headers = await signer.sign({ method: 'GET', host: 'host', path: '/', query: {}, headers: {} });
  expect(headers['x-amz-content-sha256']).toBe(emptyHash);
});

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html, "Authentication examples" (bucket johnsmith) */
const v2Examples = [
  {
    name: 'GET of an object',
    date: 'Tue, 27 Mar 2007 19:36:42 +0000',
    request: { method: 'GET', path: '/photos/puppy.jpg', query: {}, headers: {} },
    signature: 'bWq2s1WEIj+Ydj0vQ697zp+IXMU=',
  },
  {
    name: 'PUT of an object',
    date: 'Tue, 27 Mar 2007 21:15:45 +0000',
    request: { method: 'PUT', path: '/photos/puppy.jpg', query: {}, headers: { 'content-type': 'image/jpeg' } },
    signature: 'MyyxeRY7whkBe+bq8fHCL/2kKUg=',
  },
  {
    name: 'list of objects',
    date: 'Tue, 27 Mar 2007 19:42:41 +0000',
    request: { method: 'GET', path: '/', query: { prefix: 'photos', 'max-keys': '50', marker: 'puppy' }, headers: {} },
    signature: 'htDYFYduRNen8P9ZfE/s9SuKy0U=',
  },
];

test.for(v2Examples)("version 2 signs Amazon's example: $name", async ({ date, request, signature }) => {
  const signer = signatureV2({ credentials, hostBucket: '/johnsmith', date: () => date });
  const headers = await signer.sign({ ...request, host: 'johnsmith.s3.amazonaws.com' });
  expect(headers['authorization']).toBe(`AWS AKIAIOSFODNN7EXAMPLE:${signature}`);
});

test('version 2 protects the body by its MD5', async () => {
  const signer = signatureV2({ credentials, hostBucket: '' });
  const headers = await signer.sign({
    method: 'PUT',
    host: 'h',
    path: '/b/k',
    query: {},
    headers: {},
    body: [Buffer.from('he'), Buffer.from('llo')],
  });
  expect(headers['content-md5']).toBe('XUFAKrxLKna5cZ2REBfFkg==');
});
