import { expect, test } from 'vitest';
import { forEachLimit } from './for-each-limit.ts';

test('all items are worked on, never more than the limit at a time', async () => {
  let running = 0;
  let most = 0;
  const seen: number[] = [];
  await forEachLimit([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    seen.push(item);
    running--;
  });
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(most).toBe(3);
});

test('after a failure nothing new is begun and what is under way ends first', async () => {
  const ended: number[] = [];
  const work = async (item: number): Promise<void> => {
    if (item === 1) throw new Error('first');
    await Promise.resolve();
    ended.push(item);
  };
  await expect(forEachLimit([1, 2, 3, 4], 2, work)).rejects.toThrow('first');
  expect(ended).toEqual([2]);
});

test('an aborted signal ends the run with its reason', async () => {
  const controller = new AbortController();
  const seen: number[] = [];
  const work = async (item: number): Promise<void> => {
    seen.push(item);
    controller.abort(new Error('enough'));
  };
  await expect(forEachLimit([1, 2, 3], 1, work, controller.signal)).rejects.toThrow('enough');
  expect(seen).toEqual([1]);
});
