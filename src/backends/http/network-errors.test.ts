import { describe, expect, test } from 'vitest';
import { BackendError, HostNotFoundError, MisconfigurationError } from '../errors.ts';
import { clockSkewError } from './clock-skew.ts';
import { networkError } from './network-errors.ts';
import { proxySettings } from './proxy-settings.ts';
import { retryAfterMs } from './retry-after.ts';

const withCode = (code: string, more: object = {}): Error => Object.assign(new Error(`failed: ${code}`), { code, ...more });
const nothingResolves = (): Promise<unknown> => Promise.reject(withCode('ENOTFOUND'));
const everythingResolves = (): Promise<unknown> => Promise.resolve({ address: '192.0.2.1' });

describe('a failure of the network', () => {
  test('is a wrong host name if other names resolve', async () => {
    const error = await networkError(withCode('ENOTFOUND'), 'https://typo.example.com', everythingResolves);
    expect(error).toBeInstanceOf(HostNotFoundError);
    expect(error).toMatchObject({ temporary: false, message: expect.stringContaining('typo.example.com does not exist') as string });
  });

  test('is temporary if no name resolves', async () => {
    const error = await networkError(withCode('EAI_AGAIN'), 'https://store.example.com', nothingResolves);
    expect(error).toBeInstanceOf(HostNotFoundError);
    expect(error).toMatchObject({ temporary: true, message: expect.stringContaining('check the network') as string });
  });

  test('is final once the connections were closed by ourselves', async () => {
    expect(await networkError(withCode('UND_ERR_DESTROYED'), 'https://store.example.com')).toMatchObject({ temporary: false });
  });

  test('names the proxy if its name is the wrong one', async () => {
    const error = await networkError(withCode('ENOTFOUND', { hostname: 'proxy.example' }), 'https://store.example.com', everythingResolves);
    expect(error.message).toContain('proxy.example');
  });

  test.for([
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'ssl-ca-path'],
    ['CERT_HAS_EXPIRED', 'clock'],
    ['CERT_NOT_YET_VALID', 'clock'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'another name'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'no-ssl'],
  ] as const)('of kind %s is a wrong set-up, whose cure is named', async ([code, words]) => {
    const error = await networkError(withCode(code), 'https://store.example.com');
    expect(error).toBeInstanceOf(MisconfigurationError);
    expect(error.message).toContain(words);
  });

  test.for([
    'ECONNRESET',
    'ECONNREFUSED',
    'ETIMEDOUT',
    'EPIPE',
    'ENETUNREACH',
    'UND_ERR_SOCKET',
    'UND_ERR_HEADERS_TIMEOUT',
    'HPE_INVALID_CONSTANT',
  ])('of kind %s is temporary', async (code) => {
    const error = await networkError(withCode(code), 'http://store.example.com:8080');
    expect(error).toBeInstanceOf(BackendError);
    expect(error).toMatchObject({ temporary: true, message: expect.stringContaining('store.example.com:8080') as string });
  });

  test('is found below other errors', async () => {
    const error = await networkError(new TypeError('fetch failed', { cause: withCode('ECONNREFUSED') }), 'https://h');
    expect(error.message).toBe('h refuses connections');
  });
});

test.for([
  ['http://proxy.example:3128', 'http://proxy.example:3128'],
  ['proxy.example', 'http://proxy.example:80'],
  ['proxy.example:8080/', 'http://proxy.example:8080'],
  ['http://user:p%40ss@proxy', 'http://user:p%40ss@proxy:80'],
  ['https://proxy', 'https://proxy:443'],
  ['[::1]:3128', 'http://[::1]:3128'],
] as const)('the proxy variable %s means %s', ([value, url]) => {
  expect(proxySettings({ http_proxy: value, https_proxy: value })).toEqual({ httpProxy: url, httpsProxy: url });
});

test.for(['socks5://host:1', 'http://', 'http://host/path', 'ho st', 'http://host:port'])(
  'the proxy variable "%s" is refused with exit code 13',
  (value) => {
    expect(() => proxySettings({ https_proxy: value })).toThrow(expect.objectContaining({ exitCode: 13 }));
  },
);

test('upper case counts where lower case is absent, but never HTTP_PROXY, which servers set for CGI', () => {
  expect(proxySettings({ HTTP_PROXY: 'evil', HTTPS_PROXY: 'proxy', NO_PROXY: 'a,b' })).toEqual({
    httpsProxy: 'http://proxy:80',
    noProxy: 'a,b',
  });
  expect(proxySettings({ HTTPS_PROXY: 'upper', https_proxy: 'lower', no_proxy: '*', NO_PROXY: 'x' })).toEqual({
    httpsProxy: 'http://lower:80',
    noProxy: '*',
  });
});

test('Retry-After is seconds or a date', () => {
  expect(retryAfterMs('120')).toBe(120_000);
  expect(retryAfterMs('Fri, 31 Dec 1999 23:59:59 GMT', Date.UTC(1999, 11, 31, 23, 59, 29))).toBe(30_000);
  expect(retryAfterMs('Fri, 31 Dec 1999 23:59:59 GMT')).toBe(0);
  expect([retryAfterMs(undefined), retryAfterMs('soon'), retryAfterMs('-1')]).toEqual([undefined, undefined, undefined]);
});

test('a wrong clock is told with the difference', () => {
  const now = Date.UTC(2026, 0, 1, 12);
  expect(clockSkewError('h', 'Thu, 01 Jan 2026 11:40:00 GMT', now).message).toContain('20 minutes ahead of that of h');
  expect(clockSkewError('h', 'Sun, 04 Jan 2026 12:00:00 GMT', now).message).toContain('3 days behind');
  expect(clockSkewError('h', undefined, now).message).toContain('differs too much');
});
