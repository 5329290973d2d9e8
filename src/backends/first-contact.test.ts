import { expect, test } from 'vitest';
import { AuthenticationError, BackendError, MisconfigurationError, NoSuchContainerError } from './errors.ts';
import { firstContact } from './first-contact.ts';

/** A clock that stands still but for the pauses and what attempts take. */
function fakeClock(): { now: () => number; sleep: (ms: number) => Promise<void>; pass: (ms: number) => void } {
  let nowMs = 0;
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { now: () => nowMs, sleep: (ms) => Promise.resolve(pass(ms)), pass };
}

test('a busy store is tried again and then used', async () => {
  let attempts = 0;
  const result = await firstContact(async () => {
    attempts += 1;
    if (attempts < 3) throw new BackendError('busy', { temporary: true });
    return 'open';
  }, fakeClock());
  expect([result, attempts]).toEqual(['open', 3]);
});

test('a store that stays busy is given up within seconds', async () => {
  const clock = fakeClock();
  await expect(firstContact(() => Promise.reject(new BackendError('busy', { temporary: true })), clock)).rejects.toThrow('busy');
  expect(clock.now()).toBeLessThan(10_000);
});

test('a store that hangs is not asked again', async () => {
  const clock = fakeClock();
  let attempts = 0;
  const hanging = firstContact(async () => {
    attempts += 1;
    clock.pass(20_000);
    throw new BackendError('no answer in time', { temporary: true });
  }, clock);
  await expect(hanging).rejects.toThrow('no answer');
  expect(attempts).toBe(1);
});

test('what only the user can cure is reported at once, even if it may heal in a running mount', async () => {
  const errors = [
    new AuthenticationError('wrong key', { temporary: true }),
    new MisconfigurationError('wrong clock', { temporary: true }),
    new NoSuchContainerError('no bucket'),
    new Error('bug'),
  ];
  for (const error of errors) {
    let attempts = 0;
    const attempt = firstContact(async () => {
      attempts += 1;
      throw error;
    }, fakeClock());
    await expect(attempt).rejects.toBe(error);
    expect(attempts).toBe(1);
  }
});
