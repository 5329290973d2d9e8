import { expect, test } from 'vitest';
import { UserError } from '../util/errors.ts';
import { backendSpec, backendFactoryFor, parseBackendOptions } from './open-backend.ts';

/** The exit code of the UserError that the function must throw. */
function exitCodeOf(run: () => unknown): number {
  try {
    run();
  } catch (error) {
    if (error instanceof UserError) return error.exitCode;
    throw error;
  }
  throw new Error('did not throw');
}

test('backend options are flags and values, the last of equal names wins', () => {
  expect(parseBackendOptions(' no-ssl, tcp-timeout=20 ,a=b=c,,tcp-timeout=30')).toEqual({ 'no-ssl': true, 'tcp-timeout': '30', a: 'b=c' });
  expect(parseBackendOptions('')).toEqual({});
});

test('a backend option without a name is refused with exit code 2', () => {
  expect(exitCodeOf(() => parseBackendOptions('=x'))).toBe(2);
});

test('an unknown scheme and a path without one are refused with exit code 2', () => {
  expect(exitCodeOf(() => backendFactoryFor('gopher://host/'))).toBe(2);
  expect(exitCodeOf(() => backendFactoryFor('/srv/backup'))).toBe(2);
  expect(exitCodeOf(() => backendFactoryFor('__proto__://x'))).toBe(2);
});

const TLS = ['ssl-ca-path=/ca', 'tcp-timeout=20'];
const S3C = ['no-ssl', ...TLS, 'disable-expect100', 'dumb-copy'];
const SWIFT = ['no-ssl', ...TLS, 'disable-expect100', 'no-feature-detection'];
const KEYSTONE = ['domain=d', 'domain-is-name', 'project-domain=p', 'project-domain-is-name', 'tenant-is-name', 'identity-url=https://k'];

test.for([
  ['s3://eu-west-1/bucket', ['no-ssl', ...TLS, 'sse', 'ia', 'oia', 'rrs', 'it']],
  ['s3c://host/bucket', S3C],
  ['s3c4://host/bucket', [...S3C, 'sig-region=us-east-1']],
  ['b2://bucket', S3C],
  ['gs://bucket/p', TLS],
  ['swift://host/c', SWIFT],
  ['swiftks://host/region:c', [...SWIFT, ...KEYSTONE]],
  ['rackspace://region/c', [...SWIFT, ...KEYSTONE]],
] as const)('%s takes every option that it has in S3QL', ([url, options]) => {
  for (const option of options) expect(Object.keys(backendSpec({ url, options: option }).options)).toEqual([option.split('=')[0]]);
});
