import { expect, test } from 'vitest';
import { releaseBuffer } from './release-buffer.ts';

test('a released buffer is empty for all who have a view of it, and may be released twice', () => {
  const bytes = new Uint8Array(100_000).fill(1);
  const view = bytes.subarray(5, 10);
  releaseBuffer(view);
  releaseBuffer(bytes);
  expect([bytes.length, view.length]).toEqual([0, 0]);
});

test("what is part of Node's pool, or small, stays", () => {
  const pooled = Buffer.from('pooled');
  const small = new Uint8Array(100).fill(1);
  releaseBuffer(pooled);
  releaseBuffer(small);
  expect(pooled.toString()).toBe('pooled');
  expect(small[99]).toBe(1);
});
