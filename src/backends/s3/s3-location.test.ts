import { expect, test } from 'vitest';
import { UserError } from '../../util/errors.ts';
import { awsLocation, parseAwsUrl, parseB2Url, parseCompatibleUrl } from './s3-location.ts';
import { b2Factory, s3Factory, s3c4Factory, s3cFactory } from './s3-factories.ts';

test('s3:// names region, bucket and prefix; the prefix is kept as it is', () => {
  expect(parseAwsUrl('s3://eu-west-1/my-bucket/a/b/')).toEqual({ region: 'eu-west-1', bucket: 'my-bucket', prefix: 'a/b/' });
  expect(parseAwsUrl('s3://eu-west-1/my-bucket/a')).toMatchObject({ prefix: 'a' });
  expect(parseAwsUrl('s3://eu-west-1/my-bucket')).toMatchObject({ prefix: '' });
});

test.for([
  's3://',
  's3://bucket',
  's3://bucket/',
  's3:///bucket',
  's3://EU west/bucket',
  's3://r/Upper',
  's3://r/a',
  's3://r/-bucket-',
  's3://r/with_underscore',
])('the URL %s is refused with exit code 2', (url) => {
  expect(() => parseAwsUrl(url)).toThrow(UserError);
  expect(() => parseAwsUrl(url)).toThrow(expect.objectContaining({ exitCode: 2 }));
});

test.for([
  ['eu-west-1', 'https://bucket.s3.eu-west-1.amazonaws.com'],
  ['cn-north-1', 'https://bucket.s3.cn-north-1.amazonaws.com.cn'],
  ['us-gov-west-1', 'https://bucket.s3.us-gov-west-1.amazonaws.com'],
  ['eusc-de-east-1', 'https://bucket.s3.eusc-de-east-1.amazonaws.eu'],
] as const)('region %s is at %s', ([region, origin]) => {
  expect(awsLocation(region, 'bucket', '', true)).toMatchObject({ origin, virtualHost: true });
});

test('buckets with a dot are in the path, for the sake of the certificate', () => {
  expect(awsLocation('eu-west-1', 'a.b', '', true)).toMatchObject({ origin: 'https://s3.eu-west-1.amazonaws.com', virtualHost: false });
});

test('s3c:// names host, port, bucket and prefix', () => {
  expect(parseCompatibleUrl('s3c4://Store.example.com:9000/b/p', true)).toEqual({
    origin: 'https://store.example.com:9000',
    bucket: 'b',
    prefix: 'p',
    virtualHost: false,
  });
  expect(parseCompatibleUrl('s3c://store:443/b', true).origin).toBe('https://store');
  expect(parseCompatibleUrl('s3c://store:80/b', false).origin).toBe('http://store');
  expect(parseCompatibleUrl('s3c4://[::1]:9000/b', false).origin).toBe('http://[::1]:9000');
});

test('a host that begins with the bucket gets requests in virtual-host style', () => {
  expect(parseCompatibleUrl('s3c4://bucket.store.example.com/bucket/p', true).virtualHost).toBe(true);
  expect(parseCompatibleUrl('s3c4://buckets.example.com/bucket/p', true).virtualHost).toBe(false);
});

test.for(['s3c4://host', 's3c4://host/', 's3c://', 's3c://user@host/bucket', 's3c://ho st/bucket', 's3c://host:port/bucket'])(
  'the URL %s is refused with exit code 2',
  (url) => {
    expect(() => parseCompatibleUrl(url, true)).toThrow(expect.objectContaining({ exitCode: 2 }));
  },
);

test('b2:// names bucket and prefix', () => {
  expect(parseB2Url('b2://my-bucket')).toEqual({ bucket: 'my-bucket', prefix: '' });
  expect(parseB2Url('b2://My-Bucket/p/q')).toEqual({ bucket: 'My-Bucket', prefix: 'p/q' });
  expect(() => parseB2Url('b2://short')).toThrow(UserError);
});

test('canonical URLs end in a slash where S3QL puts one', () => {
  expect(s3Factory.canonicalizeUrl('s3://eu-west-1/bucket')).toBe('s3://eu-west-1/bucket');
  expect(s3Factory.canonicalizeUrl('s3://eu-west-1/bucket/p')).toBe('s3://eu-west-1/bucket/p');
  expect(s3cFactory.canonicalizeUrl('s3c://host/bucket')).toBe('s3c://host/bucket/');
  expect(s3c4Factory.canonicalizeUrl('s3c4://host:1/bucket')).toBe('s3c4://host:1/bucket/');
  expect(s3c4Factory.canonicalizeUrl('s3c4://host:1/bucket/p')).toBe('s3c4://host:1/bucket/p');
  expect(b2Factory.canonicalizeUrl('b2://bucket')).toBe('b2://bucket');
});
