/** truncate(2), ftruncate(2), and what write(2) does to a file's length, times and privileges. */
import { O_APPEND, O_RDONLY, O_RDWR, O_WRONLY } from '../../support/syscalls/constants.ts';
import type { Call } from '../../support/syscalls/system-calls.ts';
import { OWNER, ROOT, STRANGER } from '../../support/users.ts';
import { make, octal } from '../objects.ts';
import type { Row, Table } from '../row.ts';

interface Truncation {
  readonly name: string;
  readonly steps: readonly Call[];
  readonly call: (length: number | bigint) => Call;
}

const TRUNCATIONS: readonly Truncation[] = [
  { name: 'truncate', steps: [], call: (length) => ['truncate', 'x', length] },
  { name: 'ftruncate', steps: [['open', 'x', O_RDWR, 0, 'x']], call: (length) => ['ftruncate', 'x', length] },
];

const lengths: Row[] = TRUNCATIONS.flatMap(({ name, steps, call }): Row[] => [
  {
    name: `${name} shortens`,
    setup: make('file', 'x', { content: 'hello world' }),
    steps,
    call: call(5),
    contents: { x: 'hello' },
    times: { x: 'mc', '.': '' },
  },
  {
    name: `${name} to nothing frees all space`,
    setup: make('file', 'x', { content: 'y'.repeat(50_000) }),
    steps,
    call: call(0),
    after: { x: { size: 0n, blocks: 0n } },
    times: { x: 'mc' },
  },
  {
    name: `${name} lengthens with zeros`,
    setup: make('file', 'x', { content: 'ab' }),
    steps,
    call: call(6),
    contents: { x: 'ab\0\0\0\0' },
    times: { x: 'mc' },
  },
  {
    name: `${name} to the same length moves the times`,
    setup: make('file', 'x', { content: 'ab' }),
    steps,
    call: call(2),
    contents: { x: 'ab' },
    times: { x: 'mc' },
  },
  {
    name: `${name} beyond the end allocates nothing`,
    setup: make('file', 'x'),
    steps,
    call: call(1n << 40n),
    after: { x: { size: 1n << 40n, blocks: 0n } },
  },
  {
    name: `${name}: what was cut off does not come back`,
    setup: make('file', 'x', { content: 'secret' }),
    steps: [...steps, ['truncate', 'x', 2]],
    call: call(6),
    contents: { x: 'se\0\0\0\0' },
  },
  { name: `${name} to a negative length is EINVAL`, setup: make('file', 'x'), steps, call: call(-1), error: 'EINVAL', times: { x: '' } },
  {
    name: `${name} to 2^63-1`,
    needs: 'huge-files',
    setup: make('file', 'x'),
    steps,
    call: call((1n << 63n) - 1n),
    after: { x: { size: (1n << 63n) - 1n, blocks: 0n } },
  },
]);

const targets: Row[] = [
  { name: 'truncate of a directory is EISDIR', setup: make('directory', 'x'), call: ['truncate', 'x', 0], error: 'EISDIR' },
  ...(['fifo', 'socket', 'character', 'block'] as const).map((type): Row => ({
    name: `truncate of a ${type} is EINVAL`,
    setup: make(type, 'x'),
    call: ['truncate', 'x', 0],
    error: 'EINVAL',
  })),
  {
    name: 'truncate follows a link',
    setup: [...make('file', 'x', { content: 'hello' }), ['symlink', 'x', 'l']],
    call: ['truncate', 'l', 1],
    contents: { x: 'h' },
  },
  {
    name: 'truncate of a file without permission is EACCES',
    setup: make('file', 'x', { mode: 0o644 }),
    as: STRANGER,
    call: ['truncate', 'x', 0],
    error: 'EACCES',
  },
  {
    name: 'ftruncate goes by the descriptor, not by the mode',
    setup: make('file', 'x', { owner: OWNER, content: 'hello' }),
    as: OWNER,
    steps: [
      ['open', 'x', O_RDWR, 0, 'x'],
      ['chmod', 'x', 0],
    ],
    call: ['ftruncate', 'x', 1],
    contents: { x: 'h' },
  },
  {
    name: 'ftruncate of a descriptor for reading is EINVAL',
    setup: make('file', 'x'),
    steps: [['open', 'x', O_RDONLY, 0, 'x']],
    call: ['ftruncate', 'x', 0],
    error: 'EINVAL',
  },
  {
    name: 'ftruncate of a directory is EINVAL',
    setup: make('directory', 'x'),
    steps: [['open', 'x', O_RDONLY, 0, 'x']],
    call: ['ftruncate', 'x', 0],
    error: 'EINVAL',
  },
  { name: 'ftruncate of a bad descriptor is EBADF', call: ['ftruncate', 'none', 0], error: 'EBADF' },
];

/** What a write by somebody without privileges leaves of the special bits; root's leaves all. */
const PRIVILEGE_MODES = [
  [0o4777, 0o777],
  [0o2777, 0o777],
  [0o6777, 0o777],
  [0o7777, 0o1777],
  [0o777, 0o777],
] as const;

const CHANGES: ReadonlyArray<{ readonly name: string; readonly steps: readonly Call[]; readonly call: Call }> = [
  { name: 'write', steps: [['open', 'x', O_RDWR, 0, 'x']], call: ['write', 'x', 'new'] },
  { name: 'write at the end', steps: [['open', 'x', O_WRONLY | O_APPEND, 0, 'x']], call: ['write', 'x', 'new'] },
  { name: 'truncate', steps: [], call: ['truncate', 'x', 1] },
  { name: 'ftruncate', steps: [['open', 'x', O_RDWR, 0, 'x']], call: ['ftruncate', 'x', 1] },
  { name: 'fallocate', steps: [['open', 'x', O_RDWR, 0, 'x']], call: ['fallocate', 'x', 0, 0, 100] },
];

const privileges: Row[] = CHANGES.flatMap(({ name, steps, call }) =>
  PRIVILEGE_MODES.flatMap(([before, after]): Row[] => [
    {
      name: `${name} by a stranger turns mode ${octal(before)} into ${octal(after)}`,
      setup: make('file', 'x', { owner: OWNER, mode: before, content: 'old' }),
      as: STRANGER,
      steps,
      call,
      after: { x: { mode: after } },
    },
    {
      name: `${name} by root leaves mode ${octal(before)}`,
      setup: make('file', 'x', { owner: OWNER, mode: before, content: 'old' }),
      as: ROOT,
      steps,
      call,
      after: { x: { mode: before } },
    },
  ]),
);

const writes: Row[] = [
  {
    name: 'write moves mtime and ctime',
    setup: make('file', 'x'),
    steps: [['open', 'x', O_RDWR, 0, 'x']],
    call: ['write', 'x', 'abc'],
    result: 3,
    times: { x: 'mc', '.': '' },
    contents: { x: 'abc' },
  },
  {
    name: 'write of nothing changes nothing',
    setup: make('file', 'x'),
    steps: [['open', 'x', O_RDWR, 0, 'x']],
    call: ['write', 'x', ''],
    result: 0,
    times: { x: '' },
  },
  {
    name: 'pwrite into the middle',
    setup: make('file', 'x', { content: 'hello' }),
    steps: [['open', 'x', O_RDWR, 0, 'x']],
    call: ['pwrite', 'x', 'EL', 1],
    contents: { x: 'hELlo' },
  },
  {
    name: 'pwrite behind the end leaves zeros between',
    setup: make('file', 'x', { content: 'a' }),
    steps: [['open', 'x', O_RDWR, 0, 'x']],
    call: ['pwrite', 'x', 'b', 4],
    contents: { x: 'a\0\0\0b' },
  },
  {
    name: 'pwrite at a negative offset is EINVAL',
    setup: make('file', 'x'),
    steps: [['open', 'x', O_RDWR, 0, 'x']],
    call: ['pwrite', 'x', 'b', -1],
    error: 'EINVAL',
  },
  {
    name: 'read behind the end gives nothing',
    setup: make('file', 'x', { content: 'a' }),
    steps: [['open', 'x', O_RDWR, 0, 'x']],
    call: ['pread', 'x', 10, 5000],
    result: 0,
  },
  {
    name: 'read stops at the end',
    setup: make('file', 'x', { content: 'hello' }),
    steps: [['open', 'x', O_RDWR, 0, 'x']],
    call: ['pread', 'x', 100, 3],
    text: 'lo',
  },
  {
    name: 'a write 4 TiB into a file leaves a hole before it',
    setup: make('file', 'x'),
    steps: [
      ['open', 'x', O_RDWR, 0, 'x'],
      ['pwrite', 'x', 'far', 1n << 42n],
    ],
    call: ['pread', 'x', 10, (1n << 42n) - 2n],
    text: '\0\0far',
  },
];

const syncing: Row[] = [
  ...(['file', 'directory'] as const).map((type): Row => ({
    name: `fsync of a ${type} works`,
    setup: make(type, 'x'),
    steps: [['open', 'x', O_RDONLY, 0, 'x']],
    call: ['fsync', 'x'],
  })),
  { name: 'fdatasync works', setup: make('file', 'x', { content: 'a' }), steps: [['open', 'x', O_RDWR, 0, 'x']], call: ['fdatasync', 'x'] },
  { name: 'syncfs works', setup: make('file', 'x', { content: 'a' }), steps: [['open', 'x', O_RDONLY, 0, 'x']], call: ['syncfs', 'x'] },
  {
    name: 'fsync of an unlinked file works',
    setup: make('file', 'x', { content: 'a' }),
    steps: [
      ['open', 'x', O_RDWR, 0, 'x'],
      ['unlink', 'x'],
      ['write', 'x', 'b'],
    ],
    call: ['fsync', 'x'],
  },
  { name: 'fsync of a bad descriptor is EBADF', call: ['fsync', 'none'], error: 'EBADF' },
  {
    name: 'fsync of a fifo is EINVAL',
    setup: make('fifo', 'x'),
    steps: [['open', 'x', O_RDWR, 0, 'x']],
    call: ['fsync', 'x'],
    error: 'EINVAL',
  },
];

export const truncateTable: Table = {
  name: 'truncate and write',
  rows: [...lengths, ...targets, ...privileges, ...writes, ...syncing],
};
