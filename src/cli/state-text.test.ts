import { expect, test } from 'vitest';
import type { MountState } from './control-file.ts';
import { stateText } from './state-text.ts';

const NOW_MS = Date.parse('2026-11-22T12:00:00Z');
const HEALTHY: MountState = {
  store: { answers: true },
  generation: { seqNo: 1795, completedAtMs: NOW_MS - 240_000, changesSince: 12 },
  uploadingCount: 0,
};

test('a mount in order: the store works, changes are taken, the metadata has its age', () => {
  expect(stateText(HEALTHY, NOW_MS)).toBe(
    [
      'Store:                works',
      'Mount:                takes changes',
      'Metadata in store:    as of 2026-11-22 11:56:00 UTC (4 minutes ago), generation 1795, 12 changes since',
      '',
    ].join('\n'),
  );
});

test('a mount in trouble says since when, why, and what that means', () => {
  const text = stateText(
    {
      ...HEALTHY,
      store: { answers: false, failingSinceMs: NOW_MS - 7_200_000, lastError: { message: 'connect ECONNREFUSED', atMs: NOW_MS - 1_000 } },
      uploadFailure: 'the disk is full',
      readOnlyBecause: 'the store does not take what is written',
    },
    NOW_MS,
  );
  expect(text).toContain('Store:                does not work since 2026-11-22 10:00:00 UTC (2 hours ago)\n');
  expect(text).toContain('Last store error:     2026-11-22 11:59:59 UTC (1 second ago): connect ECONNREFUSED\n');
  expect(text).toContain('Last upload:          failed, to be tried again: the disk is full\n');
  expect(text).toContain('Mount:                read-only: the store does not take what is written\n');
});

test('mounts of S3QL itself say nothing of it', () => {
  expect(stateText(undefined, NOW_MS)).toBe('');
});
