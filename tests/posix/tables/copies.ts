/** copy_file_range(2), and clones. */
import { O_APPEND, O_RDONLY, O_RDWR, O_WRONLY } from '../../support/syscalls/constants.ts';
import type { Call } from '../../support/syscalls/system-calls.ts';
import { make } from '../objects.ts';
import type { Row, Table } from '../row.ts';

const TEN = '0123456789';
const FILES: readonly Call[] = [...make('file', 'from', { content: TEN }), ...make('file', 'to')];
const OPEN: readonly Call[] = [
  ['open', 'from', O_RDONLY, 0, 'from'],
  ['open', 'to', O_RDWR, 0, 'to'],
];
const BLOCK = 1 << 17;

const copying: Row[] = [
  {
    name: 'a whole file is copied',
    setup: FILES,
    steps: OPEN,
    call: ['copyFileRange', 'from', 0, 'to', 0, 10],
    result: 10,
    contents: { to: TEN, from: TEN },
    times: { to: 'mc' },
  },
  {
    name: 'a part goes to another place',
    setup: FILES,
    steps: OPEN,
    call: ['copyFileRange', 'from', 3, 'to', 2, 4],
    result: 4,
    contents: { to: '\0\x003456' },
  },
  {
    name: 'a part is overwritten',
    setup: [...make('file', 'from', { content: TEN }), ...make('file', 'to', { content: 'abcdefgh' })],
    steps: OPEN,
    call: ['copyFileRange', 'from', 0, 'to', 2, 3],
    contents: { to: 'ab012fgh' },
  },
  {
    name: 'what is behind the end is not copied',
    setup: FILES,
    steps: OPEN,
    call: ['copyFileRange', 'from', 8, 'to', 0, 100],
    result: 2,
    contents: { to: '89' },
  },
  {
    name: 'from the end nothing is copied',
    setup: FILES,
    steps: OPEN,
    call: ['copyFileRange', 'from', 10, 'to', 0, 100],
    result: 0,
    contents: { to: '' },
  },
  { name: 'a copy of no length copies nothing', setup: FILES, steps: OPEN, call: ['copyFileRange', 'from', 0, 'to', 0, 0], result: 0 },
  {
    name: 'within a file, parts that do not overlap',
    setup: make('file', 'from', { content: TEN }),
    steps: [['open', 'from', O_RDWR, 0, 'f']],
    call: ['copyFileRange', 'f', 0, 'f', 7, 3],
    result: 3,
    contents: { from: '0123456012' },
  },
  {
    name: 'within a file, overlapping parts are EINVAL',
    setup: make('file', 'from', { content: TEN }),
    steps: [['open', 'from', O_RDWR, 0, 'f']],
    call: ['copyFileRange', 'f', 0, 'f', 2, 5],
    error: 'EINVAL',
  },
  {
    name: 'onto a descriptor for reading is EBADF',
    setup: FILES,
    steps: [
      ['open', 'from', O_RDONLY, 0, 'from'],
      ['open', 'to', O_RDONLY, 0, 'to'],
    ],
    call: ['copyFileRange', 'from', 0, 'to', 0, 5],
    error: 'EBADF',
  },
  {
    name: 'from a descriptor for writing is EBADF',
    setup: FILES,
    steps: [
      ['open', 'from', O_WRONLY, 0, 'from'],
      ['open', 'to', O_RDWR, 0, 'to'],
    ],
    call: ['copyFileRange', 'from', 0, 'to', 0, 5],
    error: 'EBADF',
  },
  {
    name: 'onto O_APPEND is EBADF',
    setup: FILES,
    steps: [
      ['open', 'from', O_RDONLY, 0, 'from'],
      ['open', 'to', O_RDWR | O_APPEND, 0, 'to'],
    ],
    call: ['copyFileRange', 'from', 0, 'to', 0, 5],
    error: 'EBADF',
  },
  {
    name: 'a directory is EISDIR',
    setup: [...make('directory', 'from'), ...make('file', 'to')],
    steps: OPEN,
    call: ['copyFileRange', 'from', 0, 'to', 0, 5],
    error: 'EISDIR',
  },
  {
    name: 'a fifo is EINVAL',
    setup: [...make('fifo', 'from'), ...make('file', 'to')],
    steps: [
      ['open', 'from', O_RDWR, 0, 'from'],
      ['open', 'to', O_RDWR, 0, 'to'],
    ],
    call: ['copyFileRange', 'from', 0, 'to', 0, 5],
    error: 'EINVAL',
  },
  { name: 'flags are EINVAL', setup: FILES, steps: OPEN, call: ['copyFileRange', 'from', 0, 'to', 0, 5, 1 << 8], error: 'EINVAL' },
  {
    name: 'a copy over many blocks and the rest of one',
    setup: [...make('file', 'from', { content: `${'a'.repeat(BLOCK)}${'b'.repeat(BLOCK)}${'c'.repeat(BLOCK)}end` }), ...make('file', 'to')],
    steps: [...OPEN, ['copyFileRange', 'from', 0, 'to', 0, 3 * BLOCK + 3]],
    call: ['pread', 'to', 6, 3 * BLOCK - 3],
    text: 'cccend',
    after: { to: { size: BigInt(3 * BLOCK + 3) } },
  },
  {
    name: 'a copy that is not aligned',
    setup: [...make('file', 'from', { content: `${'a'.repeat(BLOCK)}${'b'.repeat(BLOCK)}` }), ...make('file', 'to', { content: 'xyz' })],
    steps: [...OPEN, ['copyFileRange', 'from', BLOCK - 2, 'to', 3, BLOCK]],
    call: ['pread', 'to', 8, 0],
    text: 'xyzaabbb',
    after: { to: { size: BigInt(BLOCK + 3) } },
  },
  {
    name: 'a copy is a copy: later writes stay apart',
    setup: FILES,
    steps: [...OPEN, ['copyFileRange', 'from', 0, 'to', 0, 10], ['pwrite', 'to', 'XX', 0]],
    call: ['stat', 'to'],
    contents: { from: TEN, to: 'XX23456789' },
  },
  {
    name: 'a hole is copied as zeros',
    setup: [...make('file', 'from'), ['truncate', 'from', 20], ...make('file', 'to', { content: TEN })],
    steps: OPEN,
    call: ['copyFileRange', 'from', 0, 'to', 5, 10],
    contents: { to: `01234${'\0'.repeat(10)}` },
  },
];

/** Neither ext4 nor FUSE has FICLONE: it is refused so that cp(1) and others fall back to copy_file_range. */
const cloning: Row[] = [
  {
    name: 'FICLONE is refused cleanly',
    setup: FILES,
    steps: OPEN,
    call: ['cloneFile', 'from', 'to'],
    error: 'EOPNOTSUPP',
    contents: { to: '' },
    times: { to: '' },
  },
  {
    name: 'FICLONERANGE is refused cleanly',
    setup: FILES,
    steps: OPEN,
    call: ['cloneRange', 'from', 0n, 'to', 0n, 0n],
    error: 'EOPNOTSUPP',
    times: { to: '' },
  },
];

export const copyTable: Table = { name: 'copies and clones', rows: [...copying, ...cloning] };
