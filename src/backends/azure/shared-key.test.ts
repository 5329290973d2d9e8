import { expect, test } from 'vitest';
import { sharedKeyAuthorizer, stringToSign } from './shared-key.ts';

test('the string to sign is that of the documentation', () => {
  const request = {
    method: 'GET',
    path: '/mycontainer',
    query: { restype: 'container', comp: 'metadata', timeout: '20' },
    headers: { 'x-ms-version': '2015-02-21', 'x-ms-date': 'Fri, 26 Jun 2015 23:39:12 GMT' },
    bodyBytes: 0,
  };
  expect(stringToSign('myaccount', request)).toBe(
    'GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n/myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20',
  );
});

test('length, type, digest, conditions and range are signed', () => {
  const headers = {
    'content-type': 'text/plain',
    'content-md5': 'abc',
    'if-match': '"1"',
    'if-none-match': '*',
    range: 'bytes=0-1',
    'x-other': 'x',
  };
  expect(stringToSign('a', { method: 'PUT', path: '/c/k%20', query: {}, headers, bodyBytes: 7 })).toBe(
    'PUT\n\n\n7\nabc\ntext/plain\n\n\n"1"\n*\n\nbytes=0-1\n/a/c/k%20',
  );
});

test('what cannot be a key is refused with exit code 14, without being shown', () => {
  expect(() => sharedKeyAuthorizer('account', 'no key!')).toThrow(/is not the key/);
  expect(() => sharedKeyAuthorizer('account', 'no key!')).not.toThrow(/no key!/);
});
