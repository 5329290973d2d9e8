import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { CacheSpace } from './cache-space.ts';
import { SegmentReclaim } from './segment-reclaim.ts';
import type { SegmentStore } from './segment-store.ts';
import type { SegmentSync } from './segment-sync.ts';

test('a segment that is taken out of use again while its file is being removed is removed once', async () => {
  const directory = mkdtempSync(join(tmpdir(), 's3ql-reclaim-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, '1');
  writeFileSync(path, '');
  const segment = {
    path,
    liveCount: 0,
    handedOut: 64,
    slotCount: 64,
    full: true,
    dead: [],
    pinCount: 0,
    stuckBytes: 0,
    overheadBytes: 4096,
  };
  const segments = new Set([segment]);
  const store = { segments, retire() {}, forget: (gone: typeof segment) => segments.delete(gone), descriptors: { close() {} } };
  const released: number[] = [];
  const space = { release: (bytes: number) => released.push(bytes) };
  const errors: unknown[] = [];
  const log = { info() {}, warn() {}, error: (_message: string, error: unknown) => errors.push(error) };
  const reclaim = new SegmentReclaim(store as unknown as SegmentStore, {} as SegmentSync, space as unknown as CacheSpace, log);
  reclaim.retireEmpty();
  const removed = reclaim.run();
  reclaim.retireEmpty();
  await removed;
  await reclaim.stop();
  expect(existsSync(path)).toBe(false);
  expect([errors, released]).toEqual([[], [4096]]);
});
