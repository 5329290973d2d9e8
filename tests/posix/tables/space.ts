/** fallocate(2), posix_fallocate(3), lseek(2) with SEEK_DATA and SEEK_HOLE, st_blocks. */
import {
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_INSERT_RANGE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
} from '../../support/syscalls/constants.ts';
import type { Call } from '../../support/syscalls/system-calls.ts';
import { make } from '../objects.ts';
import type { Row, Table } from '../row.ts';

const MIB = 1 << 20;
const SHIFT = 128 * 1024;
const PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
const OPEN: readonly Call[] = [['open', 'x', O_RDWR, 0, 'x']];
const TEN = '0123456789';

/** Calls that both allocate; posix_fallocate has no mode. */
const ALLOCATIONS = [
  { name: 'fallocate', call: (offset: number | bigint, length: number | bigint): Call => ['fallocate', 'x', 0, offset, length] },
  { name: 'posix_fallocate', call: (offset: number | bigint, length: number | bigint): Call => ['posixFallocate', 'x', offset, length] },
] as const;

const allocating: Row[] = ALLOCATIONS.flatMap(({ name, call }): Row[] => [
  {
    name: `${name} lengthens an empty file`,
    setup: make('file', 'x'),
    steps: OPEN,
    call: call(0, 10_000),
    after: { x: { size: 10_000n } },
    times: { x: 'mc' },
  },
  {
    name: `${name} lengthens from an offset`,
    setup: make('file', 'x', { content: TEN }),
    steps: OPEN,
    call: call(1000, 24),
    after: { x: { size: 1024n } },
  },
  {
    name: `${name} keeps what is there`,
    setup: make('file', 'x', { content: TEN }),
    steps: OPEN,
    call: call(0, 15),
    contents: { x: `${TEN}\0\0\0\0\0` },
  },
  {
    name: `${name} inside a file leaves its length`,
    setup: make('file', 'x', { content: TEN }),
    steps: OPEN,
    call: call(2, 3),
    contents: { x: TEN },
  },
  { name: `${name} of nothing is EINVAL`, setup: make('file', 'x'), steps: OPEN, call: call(0, 0), error: 'EINVAL' },
  { name: `${name} of a negative length is EINVAL`, setup: make('file', 'x'), steps: OPEN, call: call(0, -1), error: 'EINVAL' },
  { name: `${name} at a negative offset is EINVAL`, setup: make('file', 'x'), steps: OPEN, call: call(-1, 10), error: 'EINVAL' },
  {
    name: `${name} beyond the largest offset is EFBIG`,
    setup: make('file', 'x'),
    steps: OPEN,
    call: call((1n << 63n) - 1n, 10),
    error: 'EFBIG',
  },
  {
    name: `${name} of a descriptor for reading is EBADF`,
    setup: make('file', 'x'),
    steps: [['open', 'x', O_RDONLY, 0, 'x']],
    call: call(0, 10),
    error: 'EBADF',
  },
  { name: `${name} of a fifo is ESPIPE`, setup: make('fifo', 'x'), steps: OPEN, call: call(0, 10), error: 'ESPIPE' },
  { name: `${name} of a bad descriptor is EBADF`, call: call(0, 10), error: 'EBADF' },
]);

const modes: Row[] = [
  {
    name: 'KEEP_SIZE leaves the length',
    setup: make('file', 'x', { content: TEN }),
    steps: OPEN,
    call: ['fallocate', 'x', FALLOC_FL_KEEP_SIZE, 0, 100_000],
    after: { x: { size: 10n } },
  },
  {
    name: 'PUNCH_HOLE makes zeros',
    setup: make('file', 'x', { content: TEN }),
    steps: OPEN,
    call: ['fallocate', 'x', PUNCH, 2, 3],
    contents: { x: '01\0\0\x0056789' },
    times: { x: 'mc' },
  },
  {
    name: 'PUNCH_HOLE beyond the end leaves the length',
    setup: make('file', 'x', { content: TEN }),
    steps: OPEN,
    call: ['fallocate', 'x', PUNCH, 5, 1000],
    contents: { x: '01234\0\0\0\0\0' },
  },
  {
    name: 'PUNCH_HOLE far behind the end changes nothing',
    setup: make('file', 'x', { content: TEN }),
    steps: OPEN,
    call: ['fallocate', 'x', PUNCH, 5000, 1000],
    contents: { x: TEN },
  },
  {
    name: 'PUNCH_HOLE without KEEP_SIZE is EOPNOTSUPP',
    setup: make('file', 'x', { content: TEN }),
    steps: OPEN,
    call: ['fallocate', 'x', FALLOC_FL_PUNCH_HOLE, 0, 5],
    error: 'EOPNOTSUPP',
  },
  {
    name: 'PUNCH_HOLE frees space',
    setup: make('file', 'x', { content: 'y'.repeat(2 * MIB) }),
    steps: [...OPEN, ['fsync', 'x'], ['fallocate', 'x', PUNCH, 0, 2 * MIB]],
    call: ['fstat', 'x'],
    data: { size: BigInt(2 * MIB), blocks: 0n },
  },
  {
    name: 'ZERO_RANGE makes zeros',
    setup: make('file', 'x', { content: TEN }),
    steps: OPEN,
    call: ['fallocate', 'x', FALLOC_FL_ZERO_RANGE, 2, 3],
    contents: { x: '01\0\0\x0056789' },
    times: { x: 'mc' },
  },
  {
    name: 'ZERO_RANGE lengthens',
    setup: make('file', 'x', { content: TEN }),
    steps: OPEN,
    call: ['fallocate', 'x', FALLOC_FL_ZERO_RANGE, 8, 4],
    contents: { x: '01234567\0\0\0\0' },
  },
  {
    name: 'ZERO_RANGE with KEEP_SIZE does not',
    setup: make('file', 'x', { content: TEN }),
    steps: OPEN,
    call: ['fallocate', 'x', FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 8, 4],
    contents: { x: '01234567\0\0' },
  },
  {
    name: 'an unknown mode is EOPNOTSUPP',
    setup: make('file', 'x'),
    steps: OPEN,
    call: ['fallocate', 'x', 0x8000, 0, 10],
    error: 'EOPNOTSUPP',
  },
  {
    name: 'PUNCH_HOLE with ZERO_RANGE is EOPNOTSUPP',
    setup: make('file', 'x'),
    steps: OPEN,
    call: ['fallocate', 'x', PUNCH | FALLOC_FL_ZERO_RANGE, 0, 10],
    error: 'EOPNOTSUPP',
  },
];

const shifting: Row[] = [
  {
    name: 'COLLAPSE_RANGE takes a part out',
    needs: 'shift-range',
    setup: make('file', 'x', { content: `${'a'.repeat(SHIFT)}${'b'.repeat(SHIFT)}tail` }),
    steps: [...OPEN, ['fallocate', 'x', FALLOC_FL_COLLAPSE_RANGE, 0, SHIFT]],
    call: ['pread', 'x', 10, SHIFT - 2],
    text: 'bbtail',
    after: { x: { size: BigInt(SHIFT + 4) } },
  },
  {
    name: 'INSERT_RANGE puts zeros between',
    needs: 'shift-range',
    setup: make('file', 'x', { content: `${'a'.repeat(SHIFT)}tail` }),
    steps: [...OPEN, ['fallocate', 'x', FALLOC_FL_INSERT_RANGE, 0, SHIFT]],
    call: ['pread', 'x', 4, SHIFT - 2],
    text: '\0\0aa',
    after: { x: { size: BigInt(2 * SHIFT + 4) } },
  },
  {
    name: 'COLLAPSE_RANGE of an odd length is refused',
    setup: make('file', 'x', { content: TEN.repeat(1000) }),
    steps: OPEN,
    call: ['fallocate', 'x', FALLOC_FL_COLLAPSE_RANGE, 0, 5000],
    error: 'EINVAL',
    needs: 'shift-range',
  },
  {
    name: 'COLLAPSE_RANGE to the end is EINVAL',
    setup: make('file', 'x', { content: 'a'.repeat(SHIFT) }),
    steps: OPEN,
    call: ['fallocate', 'x', FALLOC_FL_COLLAPSE_RANGE, 0, SHIFT],
    error: 'EINVAL',
    needs: 'shift-range',
  },
  {
    name: 'INSERT_RANGE at the end is EINVAL',
    setup: make('file', 'x', { content: 'a'.repeat(SHIFT) }),
    steps: OPEN,
    call: ['fallocate', 'x', FALLOC_FL_INSERT_RANGE, SHIFT, SHIFT],
    error: 'EINVAL',
    needs: 'shift-range',
  },
];

/** A file of data, a hole of two parts, and data: one MiB each, which is a multiple of every block size in use. */
const WITH_HOLE: readonly Call[] = [
  ...make('file', 'x', { content: 'y'.repeat(MIB) }),
  ['open', 'x', O_WRONLY, 0, 'w'],
  ['pwrite', 'w', 'z'.repeat(MIB), 3 * MIB],
  ['close', 'w'],
];

function seek(name: string, offset: number, whence: number, expected: number | 'ENXIO'): Row {
  return {
    name,
    setup: WITH_HOLE,
    steps: OPEN,
    call: ['lseek', 'x', offset, whence],
    ...(expected === 'ENXIO' ? { error: 'ENXIO' } : { result: expected }),
  };
}

const seeking: Row[] = [
  seek('data begins at the start', 0, SEEK_DATA, 0),
  seek('in data, SEEK_DATA stays', 5, SEEK_DATA, 5),
  seek('the hole is found', 0, SEEK_HOLE, MIB),
  seek('in the hole, SEEK_HOLE stays', 2 * MIB + 5, SEEK_HOLE, 2 * MIB + 5),
  seek('data behind the hole is found', MIB, SEEK_DATA, 3 * MIB),
  seek('the end counts as a hole', 3 * MIB, SEEK_HOLE, 4 * MIB),
  seek('SEEK_DATA at the end is ENXIO', 4 * MIB, SEEK_DATA, 'ENXIO'),
  seek('SEEK_HOLE at the end is ENXIO', 4 * MIB, SEEK_HOLE, 'ENXIO'),
  seek('SEEK_DATA behind the end is ENXIO', 5 * MIB, SEEK_DATA, 'ENXIO'),
  seek('SEEK_END counts from the end', -10, SEEK_END, 4 * MIB - 10),
  seek('SEEK_SET may go behind the end', 100 * MIB, SEEK_SET, 100 * MIB),
  {
    name: 'a position before the start is EINVAL',
    setup: make('file', 'x'),
    steps: OPEN,
    call: ['lseek', 'x', -1, SEEK_CUR],
    error: 'EINVAL',
  },
  { name: 'an unknown whence is EINVAL', setup: make('file', 'x'), steps: OPEN, call: ['lseek', 'x', 0, 17], error: 'EINVAL' },
  {
    name: 'a file that is one hole has no data',
    setup: [...make('file', 'x'), ['truncate', 'x', MIB]],
    steps: OPEN,
    call: ['lseek', 'x', 0, SEEK_DATA],
    error: 'ENXIO',
  },
  {
    name: 'a file that is one hole begins with it',
    setup: [...make('file', 'x'), ['truncate', 'x', MIB]],
    steps: OPEN,
    call: ['lseek', 'x', 0, SEEK_HOLE],
    result: 0,
  },
  {
    name: 'a punched hole is found',
    setup: make('file', 'x', { content: 'y'.repeat(3 * MIB) }),
    steps: [...OPEN, ['fallocate', 'x', PUNCH, MIB, MIB]],
    call: ['lseek', 'x', 0, SEEK_HOLE],
    result: MIB,
  },
  {
    name: 'data behind a punched hole is found',
    setup: make('file', 'x', { content: 'y'.repeat(3 * MIB) }),
    steps: [...OPEN, ['fallocate', 'x', PUNCH, MIB, MIB]],
    call: ['lseek', 'x', MIB, SEEK_DATA],
    result: 2 * MIB,
  },
  { name: 'a fifo has no position', setup: make('fifo', 'x'), steps: OPEN, call: ['lseek', 'x', 0, SEEK_SET], error: 'ESPIPE' },
];

const counting: Row[] = [
  { name: 'a hole takes no blocks', setup: [...make('file', 'x'), ['truncate', 'x', 64 * MIB]], call: ['stat', 'x'], data: { blocks: 0n } },
  {
    name: 'data takes blocks of 512 bytes',
    setup: make('file', 'x', { content: 'y'.repeat(MIB) }),
    steps: [...OPEN, ['fsync', 'x']],
    call: ['stat', 'x'],
    data: { blocks: 2048n },
  },
  { name: 'only data takes blocks', setup: WITH_HOLE, steps: [...OPEN, ['fsync', 'x']], call: ['stat', 'x'], data: { blocks: 4096n } },
];

export const spaceTable: Table = { name: 'allocation and holes', rows: [...allocating, ...modes, ...shifting, ...seeking, ...counting] };
