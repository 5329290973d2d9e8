import { expect, test } from 'vitest';
import { Semaphore } from './semaphore.ts';

test('tasks wait for their turn, in order', async () => {
  const semaphore = new Semaphore(2);
  const log: string[] = [];
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  const tasks = gates.map(({ promise }, index) =>
    semaphore.run(async () => {
      log.push(`begin ${index}`);
      await promise;
    }),
  );
  await Promise.resolve();
  expect(log).toEqual(['begin 0', 'begin 1']);
  gates[1]?.resolve();
  await tasks[1];
  for (const gate of gates) gate.resolve();
  await Promise.all(tasks);
  expect(log).toEqual(['begin 0', 'begin 1', 'begin 2', 'begin 3']);
});

test('a task that fails gives its turn back', async () => {
  const semaphore = new Semaphore(1);
  await expect(semaphore.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await semaphore.run(async () => 'yes')).toBe('yes');
});

test('who gives up waiting takes nobody’s turn', async () => {
  const semaphore = new Semaphore(1);
  const controller = new AbortController();
  await semaphore.acquire();
  const waiting = semaphore.acquire(controller.signal);
  const next = semaphore.acquire();
  controller.abort('enough');
  await expect(waiting).rejects.toBe('enough');
  semaphore.release();
  await next;
  semaphore.release();
  await semaphore.acquire(controller.signal).catch(() => undefined);
  expect(await semaphore.run(async () => 'free')).toBe('free');
});

test('a limit below one is refused', () => {
  expect(() => new Semaphore(0)).toThrow(RangeError);
});
