import { expect, test } from 'vitest';
import { azureEndpoint, parseAzureUrl } from './azure-location.ts';

test('account, container and prefix are read from the URL', () => {
  expect(parseAzureUrl('azure://account1/container-1')).toEqual({ account: 'account1', container: 'container-1', prefix: '' });
  expect(parseAzureUrl('azure://account1/c-1/a/b-')).toEqual({ account: 'account1', container: 'c-1', prefix: 'a/b-' });
});

test.for([
  'azure://',
  'azure://account1',
  'azure://UPPER/container',
  'azure://account1/c--d',
  'azure://account1/-cd',
  'azure://account1/ab_c',
])('%s is refused with exit code 2', (url) => {
  expect(() => parseAzureUrl(url)).toThrow(expect.objectContaining({ exitCode: 2 }) as Error);
});

test('the endpoint is Azure’s own, or the one that is named', () => {
  const location = parseAzureUrl('azure://account1/container');
  expect(azureEndpoint(location, undefined)).toEqual({ origin: 'https://account1.blob.core.windows.net', path: '' });
  expect(azureEndpoint(location, 'http://127.0.0.1:10000/account1/')).toEqual({ origin: 'http://127.0.0.1:10000', path: '/account1' });
  for (const bad of ['nowhere', 'ftp://x', 'https://user@host', 'https://host/?sig=1']) {
    expect(() => azureEndpoint(location, bad)).toThrow(expect.objectContaining({ exitCode: 2 }) as Error);
  }
});
