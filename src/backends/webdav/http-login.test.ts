import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { HttpLogin } from './http-login.ts';

const hash = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest('hex');

function parameters(authorization: string | undefined): Record<string, string> {
  return Object.fromEntries(
    [...(authorization ?? '').matchAll(/([\w*]+)=(?:"([^"]*)"|([^,\s]+))/g)].map(([, name = '', quoted, token]) => [
      name,
      quoted ?? token ?? '',
    ]),
  );
}

test('nothing is sent before the server asks', () => {
  expect(new HttpLogin('user', 'password').authorization('GET', '/')).toBeUndefined();
});

test('Basic is answered, and refused if it is asked for again', () => {
  const login = new HttpLogin('Aladdin', 'open sesame');
  expect(login.challenged('Basic realm="WallyWorld"', undefined)).toBe(true);
  // The example of RFC 7617.
  expect(login.authorization('GET', '/')).toBe('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==');
  expect(login.challenged('Basic realm="WallyWorld"', login.authorization('GET', '/'))).toBe(false);
});

test('of several challenges the strongest is answered, as RFC 7616 computes it', () => {
  const login = new HttpLogin('Mufasa', 'Circle of Life');
  const challenge = (algorithm: string): string =>
    `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`;
  expect(login.challenged(`Basic realm="x", ${challenge('MD5')}, ${challenge('SHA-256')}`, undefined)).toBe(true);
  const sent = parameters(login.authorization('GET', '/dir/index.html'));
  expect(sent).toMatchObject({
    username: 'Mufasa',
    algorithm: 'SHA-256',
    uri: '/dir/index.html',
    nc: '00000001',
    qop: 'auth',
    opaque: 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS',
  });
  const secret = hash('sha256', 'Mufasa:http-auth@example.org:Circle of Life');
  const request = hash('sha256', 'GET:/dir/index.html');
  expect(sent['response']).toBe(hash('sha256', `${secret}:${sent['nonce']}:00000001:${sent['cnonce']}:auth:${request}`));
  expect(parameters(login.authorization('GET', '/'))['nc']).toBe('00000002');
});

test('a stale nonce is replaced, a wrong password is given up', () => {
  const login = new HttpLogin('u', 'p');
  login.challenged('Digest realm="r", nonce="1", qop="auth"', undefined);
  const sent = login.authorization('GET', '/');
  expect(login.challenged('Digest realm="r", nonce="2", qop="auth", stale=true', sent)).toBe(true);
  expect(parameters(login.authorization('GET', '/'))).toMatchObject({ nonce: '2', nc: '00000001' });
  // Another request was on its way with the old one.
  expect(login.challenged('Digest realm="r", nonce="3", qop="auth", stale=true', sent)).toBe(true);
  expect(parameters(login.authorization('GET', '/'))).toMatchObject({ nonce: '2', nc: '00000002' });
  expect(login.challenged('Digest realm="r", nonce="4", qop="auth"', login.authorization('GET', '/'))).toBe(false);
});

test('names beyond ASCII go as UTF-8 where the server says that it knows', () => {
  const login = new HttpLogin('Jäsøn', 'p');
  login.challenged('Digest realm="r", nonce="1", qop="auth", charset=UTF-8', undefined);
  expect(login.authorization('GET', '/')).toContain("username*=UTF-8''J%C3%A4s%C3%B8n");
});

test('what cannot be answered is given up', () => {
  for (const header of [
    '',
    'Negotiate',
    'Bearer realm="x"',
    'Digest realm="r", nonce="1", algorithm=UNKNOWN',
    'Digest realm="r", nonce="1", qop="auth-int"',
  ]) {
    expect(new HttpLogin('u', 'p').challenged(header, undefined)).toBe(false);
  }
});
