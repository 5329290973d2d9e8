/** stat(2), statfs(2), O_TMPFILE, mmap(2), inode flags: what is left. */
import { O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_TMPFILE, O_WRONLY } from '../../support/syscalls/constants.ts';
import { OWNER, STRANGER } from '../../support/users.ts';
import { FILE_TYPES, make } from '../objects.ts';
import type { Row, Table } from '../row.ts';

const status: Row[] = [
  ...FILE_TYPES.map((type): Row => ({
    name: `a new ${type} has the attributes of one`,
    setup: make(type, 'x', { owner: OWNER, mode: 0o640 }),
    call: ['lstat', 'x'],
    data: { type, mode: type === 'symlink' ? 0o777 : 0o640, uid: OWNER.uid, gid: OWNER.gid, nlink: type === 'directory' ? 2 : 1 },
  })),
  {
    name: 'a directory of three directories has link count 5',
    setup: ['a', 'b', 'c'].flatMap((name) => make('directory', name)),
    call: ['stat', '.'],
    data: { nlink: 5 },
  },
  {
    name: 'files do not count as links of a directory',
    setup: ['a', 'b', 'c'].flatMap((name) => make('file', name)),
    call: ['stat', '.'],
    data: { nlink: 2 },
  },
  {
    name: 'an empty file has no size and no blocks',
    setup: make('file', 'x'),
    call: ['stat', 'x'],
    data: { size: 0n, blocks: 0n, rdevMajor: 0, rdevMinor: 0 },
  },
];

const figures: Row[] = [
  { name: 'names may have 255 bytes', call: ['statfs', '.'], data: { maxNameLength: 255n } },
  { name: 'statfs works on a file', setup: make('file', 'x'), call: ['statfs', 'x'], data: { maxNameLength: 255n } },
];

const temporary: Row[] = [
  {
    name: 'a temporary file has no name and no link',
    setup: make('directory', 'd'),
    steps: [['open', 'd', O_TMPFILE | O_RDWR, 0o640, 'x']],
    call: ['fstat', 'x'],
    data: { type: 'file', nlink: 0, mode: 0o640, size: 0n },
    times: { d: '' },
  },
  {
    name: 'it is written and read',
    setup: make('directory', 'd'),
    steps: [
      ['open', 'd', O_TMPFILE | O_RDWR, 0o600, 'x'],
      ['write', 'x', 'hello'],
    ],
    call: ['pread', 'x', 10, 0],
    text: 'hello',
  },
  {
    name: 'it can be given a name',
    setup: make('directory', 'd'),
    steps: [
      ['open', 'd', O_TMPFILE | O_RDWR, 0o604, 'x'],
      ['write', 'x', 'hello'],
    ],
    call: ['linkDescriptor', 'x', 'd/y'],
    contents: { 'd/y': 'hello' },
    after: { 'd/y': { nlink: 1, mode: 0o604 } },
    times: { d: 'mc' },
  },
  {
    name: 'it can be given several names',
    setup: make('directory', 'd'),
    steps: [
      ['open', 'd', O_TMPFILE | O_RDWR, 0o604, 'x'],
      ['linkDescriptor', 'x', 'd/y'],
    ],
    call: ['linkDescriptor', 'x', 'd/z'],
    after: { 'd/y': { nlink: 2 } },
  },
  {
    name: 'with O_EXCL it can not be given a name',
    setup: make('directory', 'd'),
    steps: [['open', 'd', O_TMPFILE | O_RDWR | O_EXCL, 0o600, 'x']],
    call: ['linkDescriptor', 'x', 'd/y'],
    error: 'ENOENT',
  },
  {
    name: 'it obeys the umask',
    umask: 0o26,
    setup: make('directory', 'd'),
    steps: [['open', 'd', O_TMPFILE | O_WRONLY, 0o666, 'x']],
    call: ['fstat', 'x'],
    data: { mode: 0o640 },
  },
  {
    name: 'it has the group of a setgid directory',
    setup: make('directory', 'd', { mode: 0o2777, owner: STRANGER }),
    as: OWNER,
    steps: [['open', 'd', O_TMPFILE | O_WRONLY, 0o644, 'x']],
    call: ['fstat', 'x'],
    data: { uid: OWNER.uid, gid: STRANGER.gid },
  },
  { name: 'it needs to be written', setup: make('directory', 'd'), call: ['open', 'd', O_TMPFILE | O_RDONLY, 0o600], error: 'EINVAL' },
  { name: 'it needs a directory', setup: make('file', 'd'), call: ['open', 'd', O_TMPFILE | O_RDWR, 0o600], error: 'ENOTDIR' },
  {
    name: 'it needs the right to write the directory',
    setup: make('directory', 'd'),
    as: STRANGER,
    call: ['open', 'd', O_TMPFILE | O_RDWR, 0o600],
    error: 'EACCES',
  },
  {
    name: 'its directory can be removed',
    setup: make('directory', 'd'),
    steps: [['open', 'd', O_TMPFILE | O_RDWR, 0o600, 'x']],
    call: ['rmdir', 'd'],
    after: { d: 'absent' },
  },
];

const OPEN = ['open', 'x', O_RDWR, 0, 'x'] as const;

const mapped: Row[] = [
  {
    name: 'a mapping shows the contents',
    setup: make('file', 'x', { content: 'hello' }),
    steps: [OPEN],
    call: ['readMapped', 'x', 5, 0],
    text: 'hello',
  },
  {
    name: 'a mapping shows zeros behind the end',
    setup: make('file', 'x', { content: 'hello' }),
    steps: [OPEN],
    call: ['readMapped', 'x', 8, 0],
    text: 'hello\0\0\0',
  },
  {
    name: 'what is written into a mapping is read',
    setup: make('file', 'x', { content: 'hello' }),
    steps: [OPEN],
    call: ['writeMapped', 'x', 'JE', 0],
    contents: { x: 'JEllo' },
  },
  {
    name: 'a mapping can be synced',
    setup: make('file', 'x', { content: 'hello' }),
    steps: [OPEN],
    call: ['writeMapped', 'x', 'LL', 0, 2, true],
    contents: { x: 'heLLo' },
  },
  {
    name: 'a mapping shows what is written',
    setup: make('file', 'x', { content: 'hello' }),
    steps: [OPEN, ['readMapped', 'x', 5, 0], ['pwrite', 'x', 'p!', 3]],
    call: ['readMapped', 'x', 5, 0],
    text: 'help!',
  },
  {
    name: 'a write into a mapping moves mtime and ctime once it is synced',
    setup: make('file', 'x', { content: 'hello' }),
    steps: [OPEN, ['tick'], ['pread', 'x', 1, 0]],
    call: ['writeMapped', 'x', 'J', 0, 0, true],
    times: { x: 'mc' },
  },
  {
    name: 'a mapping of a descriptor for reading can not be written',
    setup: make('file', 'x', { content: 'hello' }),
    steps: [['open', 'x', O_RDONLY, 0, 'x']],
    call: ['writeMapped', 'x', 'J', 0],
    error: 'EACCES',
  },
  {
    name: 'a directory can not be mapped',
    setup: make('directory', 'x'),
    steps: [['open', 'x', O_RDONLY, 0, 'x']],
    call: ['readMapped', 'x', 5, 0],
    error: 'ENODEV',
  },
  {
    name: 'a mapping outlives the name',
    setup: make('file', 'x', { content: 'hello' }),
    steps: [OPEN, ['unlink', 'x']],
    call: ['readMapped', 'x', 5, 0],
    text: 'hello',
  },
];

const flags: Row[] = [
  { name: 'the inode flags can be read', setup: make('file', 'x'), steps: [OPEN], call: ['getInodeFlags', 'x'] },
  {
    name: 'a new file is not immutable',
    setup: [],
    steps: [
      ['open', 'x', O_CREAT | O_RDWR, 0o600, 'x'],
      ['getInodeFlags', 'x'],
    ],
    call: ['write', 'x', 'a'],
  },
];

export const statusTable: Table = {
  name: 'status, temporary files, mappings',
  rows: [...status, ...figures, ...temporary, ...mapped, ...flags],
};
