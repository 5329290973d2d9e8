import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { recordLogs } from '../util/log.ts';
import { MountEvents, MountEventsListener, newEventsPath } from './mount-events.ts';
import type { ProgressDisplay, ProgressSnapshot } from './progress.ts';

const STEP: ProgressSnapshot = { title: 'Uploading metadata', unit: 'pieces', elapsedMs: 5, done: 1, total: 2 };

let directory: string;
beforeEach(() => {
  // Longer than the path of a socket may be.
  directory = mkdtempSync(join(tmpdir(), `s3ql-events-${'x'.repeat(100)}-`));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A display that resolves once it has been shown something. */
function watchedDisplay(): ProgressDisplay & { readonly first: Promise<readonly ProgressSnapshot[]>; readonly all: unknown[] } {
  const { promise: first, resolve } = Promise.withResolvers<readonly ProgressSnapshot[]>();
  const all: unknown[] = [];
  return {
    intervalMs: 1,
    first,
    all,
    show(steps) {
      all.push(steps);
      resolve(steps);
    },
    finished: (step) => all.push(step),
  };
}

test('listeners see progress and learn how the mount ended', async () => {
  const name = newEventsPath(directory);
  using events = await MountEvents.open(name);
  const display = watchedDisplay();
  using listener = await MountEventsListener.connect(name, display);
  using other = await MountEventsListener.connect(name, undefined);
  events.display.show([STEP]);
  expect(await display.first).toEqual([STEP]);
  events.display.show([]);
  events.display.finished(STEP);
  await events.ended(3);
  expect(await listener?.outcome()).toBe(3);
  expect(await other?.outcome()).toBe(3);
  // The step is off the display before it is said to be over.
  expect(display.all.slice(-3)).toEqual([[], STEP, []]);
});

test('a mount that dies without a word has no outcome', async () => {
  const name = newEventsPath(directory);
  const events = await MountEvents.open(name);
  using listener = await MountEventsListener.connect(name, undefined);
  events[Symbol.dispose]();
  expect(await listener?.outcome()).toBeUndefined();
});

test('a mount that cannot be heard is no error', async () => {
  expect(await MountEventsListener.connect(newEventsPath(directory), undefined)).toBeUndefined();
});

test('a path that is taken is a warning, not the end of the mount', async () => {
  using logs = recordLogs();
  const name = newEventsPath(directory);
  using _first = await MountEvents.open(name);
  using second = await MountEvents.open(name);
  await second.ended(0);
  expect(logs.records).toMatchObject([{ level: 'warn', message: expect.stringContaining('EADDRINUSE') as string }]);
});

test('requests are answered, and failures are told', async () => {
  const path = newEventsPath(directory);
  using events = await MountEvents.open(path);
  using listener = await MountEventsListener.connect(path, undefined);
  await expect(listener?.request('statistics')).rejects.toThrow('not ready');
  events.answer = async (request) => {
    if (request === 'backup-metadata') throw new Error('the store is full');
    return { entryCount: 7 };
  };
  expect(await listener?.request('statistics')).toEqual({ entryCount: 7 });
  await expect(listener?.request('backup-metadata')).rejects.toThrow('the store is full');
});

test('the socket is for its owner alone, goes with the mount, and what killed mounts left goes with the next', async () => {
  const path = newEventsPath(directory);
  {
    using _events = await MountEvents.open(path);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  }
  expect(readdirSync(dirname(path))).toEqual([]);
  // Connections to a file that nobody listens at are refused, whatever it is.
  writeFileSync(join(dirname(path), 'left'), '');
  using _next = await MountEvents.open(path);
  expect(readdirSync(dirname(path))).toEqual([path.slice(dirname(path).length + 1)]);
});

test('a client that talks without end is dropped', async () => {
  const short = mkdtempSync(join(tmpdir(), 's3ql-'));
  const path = newEventsPath(short);
  using _events = await MountEvents.open(path);
  const client = createConnection(path);
  client.on('error', () => undefined);
  client.resume();
  client.write('x'.repeat(100_000));
  const { promise, resolve } = Promise.withResolvers<boolean>();
  client.on('close', () => resolve(true));
  expect(await promise).toBe(true);
  rmSync(short, { recursive: true });
});
