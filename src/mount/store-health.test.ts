import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AuthenticationError, BackendError, FileSystemLostError, NoSpaceError } from '../backends/errors.ts';
import { FsError } from '../util/errors.ts';
import { recordLogs } from '../util/log.ts';
import { StoreHealth } from './store-health.ts';
import { WriteGate } from './write-gate.ts';

const TIMES = { downAfterMs: 10_000, probeIntervalMs: 30_000 };
const TROUBLE = new BackendError('GET https://me:secret@host/k?Signature=x: no route', { temporary: true });

let gate: WriteGate;
let health: StoreHealth;
let logs: ReturnType<typeof recordLogs>;

beforeEach(() => {
  vi.useFakeTimers();
  logs = recordLogs();
  gate = new WriteGate();
  health = new StoreHealth(gate, TIMES);
});

afterEach(() => {
  health[Symbol.dispose]();
  logs[Symbol.dispose]();
  vi.useRealTimers();
});

test('a store that does not answer for a while is down until it answers again', () => {
  const changes: boolean[] = [];
  health.onChange = () => changes.push(health.isDown);
  health.noteState(TROUBLE);
  const sinceMs = Date.now();
  vi.advanceTimersByTime(9_999);
  health.noteState(TROUBLE);
  expect(changes).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(changes).toEqual([true]);
  expect(health.report()).toEqual({
    answers: false,
    failingSinceMs: sinceMs,
    lastError: { message: 'GET https://host/k?... no route', atMs: sinceMs + 9_999 },
  });
  health.noteState(undefined);
  expect(changes).toEqual([true, false]);
  expect(health.report()).toMatchObject({ answers: true, failingSinceMs: undefined });
  expect(logs.records.map(({ level }) => level)).toEqual(['warn', 'info']);
});

test('a hiccup is not worth a word', () => {
  health.noteState(TROUBLE);
  vi.advanceTimersByTime(9_000);
  health.noteState(undefined);
  vi.advanceTimersByTime(60_000);
  expect(health.isDown).toBe(false);
  expect(logs.records).toEqual([]);
});

test('writing that fails for good makes the mount read-only until something can be written, which is tried', async () => {
  const answers = [false, true];
  let probes = 0;
  health.probe = () => Promise.resolve(answers[probes++] ?? true);
  health.noteWrite(new FsError('EIO', 'cannot upload blocks', { cause: new AuthenticationError('revoked') }));
  expect(gate.readOnlyBecause).toContain('revoked');
  await vi.advanceTimersByTimeAsync(30_000);
  expect([probes, gate.readOnlyBecause === undefined]).toEqual([1, false]);
  await vi.advanceTimersByTimeAsync(30_000);
  expect([probes, gate.readOnlyBecause]).toEqual([2, undefined]);
  await vi.advanceTimersByTimeAsync(300_000);
  expect(probes).toBe(2);
});

test('a probe that hangs or fails is no success, and there is one at a time', async () => {
  let probes = 0;
  const { promise, reject } = Promise.withResolvers<boolean>();
  health.probe = () => ((probes += 1), promise);
  health.noteWrite(new AuthenticationError('revoked'));
  await vi.advanceTimersByTimeAsync(120_000);
  expect(probes).toBe(1);
  reject(new AuthenticationError('still revoked'));
  await vi.advanceTimersByTimeAsync(30_000);
  expect([probes, gate.readOnlyBecause === undefined]).toEqual([2, false]);
});

test.for([
  ['a full store', new NoSpaceError('full')],
  ['a file system that is lost', new FileSystemLostError('lost')],
  ['a bug', new TypeError('x')],
] as const)('%s is not for the gate of the store', ([, error]) => {
  health.noteWrite(error);
  expect(gate.readOnlyBecause).toBeUndefined();
});
