import { expect, test } from 'vitest';
import { recordLogs } from '../util/log.ts';
import { MountEvents, MountEventsListener, newEventsName } from './mount-events.ts';
import type { ProgressDisplay, ProgressSnapshot } from './progress.ts';

const STEP: ProgressSnapshot = { title: 'Uploading metadata', unit: 'pieces', elapsedMs: 5, done: 1, total: 2 };

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
  const name = newEventsName();
  using events = await MountEvents.open(name);
  const display = watchedDisplay();
  using listener = await MountEventsListener.connect(name, display);
  using other = await MountEventsListener.connect(name, undefined);
  events.display.show([STEP]);
  expect(await display.first).toEqual([STEP]);
  events.display.finished(STEP);
  await events.ended(3);
  expect(await listener?.outcome()).toBe(3);
  expect(await other?.outcome()).toBe(3);
  expect(display.all.slice(-2)).toEqual([STEP, []]);
});

test('a mount that dies without a word has no outcome', async () => {
  const name = newEventsName();
  const events = await MountEvents.open(name);
  using listener = await MountEventsListener.connect(name, undefined);
  events[Symbol.dispose]();
  expect(await listener?.outcome()).toBeUndefined();
});

test('a mount that cannot be heard is no error', async () => {
  expect(await MountEventsListener.connect(newEventsName(), undefined)).toBeUndefined();
});

test('a name that is taken is a warning, not the end of the mount', async () => {
  using logs = recordLogs();
  const name = newEventsName();
  using _first = await MountEvents.open(name);
  using second = await MountEvents.open(name);
  await second.ended(0);
  expect(logs.records).toMatchObject([{ level: 'warn', message: expect.stringContaining('EADDRINUSE') as string }]);
});
