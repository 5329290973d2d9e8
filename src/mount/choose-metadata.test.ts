import { expect, test } from 'vitest';
import { chooseMetadata, type SuperblockState } from './choose-metadata.ts';

const state = (sequenceNumber: number, ...flags: Array<'mounted' | 'fsck'>): SuperblockState => ({
  sequenceNumber,
  isMounted: flags.includes('mounted'),
  needsFsck: flags.includes('fsck'),
});

test.each([
  ['a current clean copy is used', state(5), state(5), { use: 'local' }],
  ['no copy: fetch', undefined, state(5), { use: 'store', setAside: false }],
  ['an outdated clean copy is dropped', state(4), state(5), { use: 'store', setAside: false }],
  ['an outdated copy of a crashed mount is set aside', state(4, 'mounted'), state(6), { use: 'store', setAside: true }],
  ['crashed while mounting', state(6, 'mounted'), state(5), { use: 'recovered-local' }],
  ['crashed while mounted', state(6, 'mounted'), state(6, 'mounted'), { use: 'recovered-local' }],
  ['crashed between the two writes of an upload', state(7, 'mounted'), state(6, 'mounted'), { use: 'recovered-local' }],
  ['crashed while unmounting', state(6), state(6, 'mounted'), { use: 'recovered-local' }],
  ['mounted elsewhere, no copy', undefined, state(6, 'mounted'), { refuse: 'mounted-elsewhere' }],
  ['mounted elsewhere, outdated copy', state(5, 'mounted'), state(6, 'mounted'), { refuse: 'mounted-elsewhere' }],
  ['the store says that it needs a check', undefined, state(6, 'fsck'), { refuse: 'needs-fsck' }],
  ['the local copy says that it needs a check', state(6, 'fsck'), state(6), { refuse: 'needs-fsck' }],
])('%s', (_name, local, remote, choice) => {
  expect(chooseMetadata(local, remote)).toEqual(choice);
});
