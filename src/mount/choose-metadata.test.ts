import { expect, test } from 'vitest';
import { chooseMetadata, type LocalSuperblocks, type SuperblockState } from './choose-metadata.ts';

const HERE = 1000;
const ELSEWHERE = 2000;
const clean = (seqNo: number, lastModifiedSeconds = HERE): SuperblockState => ({
  seqNo,
  lastModifiedSeconds,
  isMounted: false,
  needsFsck: false,
});
const mounted = (seqNo: number, lastModifiedSeconds = HERE): SuperblockState => ({
  ...clean(seqNo, lastModifiedSeconds),
  isMounted: true,
});
const damaged = (seqNo: number, lastModifiedSeconds = HERE): SuperblockState => ({
  ...clean(seqNo, lastModifiedSeconds),
  needsFsck: true,
});
const local = (written: SuperblockState, confirmed: SuperblockState | undefined = written): LocalSuperblocks<SuperblockState> => ({
  written,
  confirmed,
});

test.each([
  ['a current clean copy is used', local(clean(5)), clean(5), { use: 'local' }],
  ['no copy: fetch', undefined, clean(5), { use: 'store', setAside: false }],
  ['an outdated clean copy is dropped', local(clean(4)), clean(6, ELSEWHERE), { use: 'store', setAside: false }],
  ['an outdated copy of a crashed mount is set aside', local(mounted(5)), clean(7, ELSEWHERE), { use: 'store', setAside: true }],
  [
    'an outdated copy whose last unmount never reached the store is set aside',
    local(clean(5), mounted(5)),
    clean(7, ELSEWHERE),
    { use: 'store', setAside: true },
  ],
  ['crashed while mounting', local(mounted(6), clean(5)), clean(5), { use: 'recovered-local' }],
  ['crashed while mounted', local(mounted(6)), mounted(6), { use: 'recovered-local' }],
  ['crashed between the two writes of an upload', local(mounted(7), mounted(6)), mounted(6), { use: 'recovered-local' }],
  ['crashed after the store was written but before that was noted', local(mounted(7), mounted(6)), mounted(7), { use: 'recovered-local' }],
  ['crashed while unmounting', local({ ...clean(6), lastModifiedSeconds: 1500 }, mounted(6)), mounted(6), { use: 'recovered-local' }],
  ['mounted elsewhere, no copy', undefined, mounted(6), { refuse: 'mounted-elsewhere' }],
  ['mounted elsewhere, outdated copy', local(mounted(5)), mounted(6, ELSEWHERE), { refuse: 'mounted-elsewhere' }],
  [
    'mounted elsewhere at the very number that a crashed mount here had',
    local(mounted(6), clean(5)),
    mounted(6, ELSEWHERE),
    { refuse: 'mounted-elsewhere' },
  ],
  ['the store says that it needs a check', undefined, damaged(6), { refuse: 'needs-fsck' }],
  ['the local copy says that it needs a check', local(damaged(6), clean(5)), clean(5), { refuse: 'needs-fsck' }],
])('%s', (_name, copies, remote, choice) => {
  expect(chooseMetadata(copies, remote)).toEqual(choice);
});
