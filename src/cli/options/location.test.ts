import { expect, test } from 'vitest';
import { parseLocation } from './location.ts';

test.each([
  ['local:///srv/store:/dir/file', 'local:///srv/store', '/dir/file'],
  ['local:///srv/store', 'local:///srv/store', '/'],
  ['local:///srv/store:/', 'local:///srv/store', '/'],
  ['swift://host:8080/container/prefix:/a', 'swift://host:8080/container/prefix', '/a'],
  ['s3://eu-west-1/bucket/a:b:/c:/d', 's3://eu-west-1/bucket/a:b', '/c:/d'],
])('%s is a URL and an absolute path', (value, storageUrl, path) => {
  expect(parseLocation(value)).toEqual({ storageUrl, path });
});

test('with a URL of its own an argument is a path, whatever is in it', () => {
  expect(parseLocation('/a:/b', 'local:///odd:/store')).toEqual({ storageUrl: 'local:///odd:/store', path: '/a:/b' });
  expect(() => parseLocation('a', 'local:///x')).toThrow('must be an absolute path');
});

test('what has no scheme is no location', () => {
  expect(() => parseLocation('/just/a/path')).toThrow('is not of the form storage-url:/path');
});
