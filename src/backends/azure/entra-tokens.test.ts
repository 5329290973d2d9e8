import { expect, test } from 'vitest';
import { AuthenticationError } from '../errors.ts';
import { tokenAuthorizer, type AccessToken } from './entra-tokens.ts';

const REQUEST = { method: 'GET', path: '/', query: {}, headers: {}, bodyBytes: 0 };
const MINUTE_MS = 60_000;

function counted(): { asked: number; nowMs: number; fail: Error | undefined; source: () => Promise<AccessToken> } {
  const state = {
    asked: 0,
    nowMs: 0,
    fail: undefined as Error | undefined,
    source: async () => {
      state.asked += 1;
      if (state.fail !== undefined) throw state.fail;
      return { token: `t${state.asked}`, expiresAtMs: state.nowMs + 60 * MINUTE_MS };
    },
  };
  return state;
}

test('a token is asked for once, and again five minutes before it expires', async () => {
  const state = counted();
  const authorizer = tokenAuthorizer(state.source, () => state.nowMs);
  const many = await Promise.all(Array.from({ length: 5 }, () => authorizer.authorize(REQUEST)));
  expect(new Set(many.map(({ headers }) => headers['authorization']))).toEqual(new Set(['Bearer t1']));
  state.nowMs = 54 * MINUTE_MS;
  expect((await authorizer.authorize(REQUEST)).headers['authorization']).toBe('Bearer t1');
  state.nowMs = 56 * MINUTE_MS;
  expect((await authorizer.authorize(REQUEST)).headers['authorization']).toBe('Bearer t2');
});

test('a token that was refused is replaced, unless it was already', async () => {
  const state = counted();
  const authorizer = tokenAuthorizer(state.source, () => state.nowMs);
  const refused = await authorizer.authorize(REQUEST);
  expect(authorizer.renew(refused)).toBe(true);
  expect((await authorizer.authorize(REQUEST)).headers['authorization']).toBe('Bearer t2');
  authorizer.renew(refused);
  expect((await authorizer.authorize(REQUEST)).headers['authorization']).toBe('Bearer t2');
});

test('while no new one can be had the old one is used as long as it lasts; after that the failure is temporary', async () => {
  const state = counted();
  const authorizer = tokenAuthorizer(state.source, () => state.nowMs);
  await authorizer.authorize(REQUEST);
  state.fail = new AuthenticationError('no more');
  state.nowMs = 58 * MINUTE_MS;
  expect((await authorizer.authorize(REQUEST)).headers['authorization']).toBe('Bearer t1');
  state.nowMs = 61 * MINUTE_MS;
  await expect(authorizer.authorize(REQUEST)).rejects.toMatchObject({ temporary: true });
});

test('credentials that never worked are refused at once', async () => {
  const state = counted();
  state.fail = new AuthenticationError('wrong secret');
  await expect(tokenAuthorizer(state.source).authorize(REQUEST)).rejects.toThrow(AuthenticationError);
});
