/** mknod(2): device numbers and what it refuses; mkfifo(3) and mkdir(2) where they differ from the other creations. */
import { O_RDONLY, O_RDWR, O_NONBLOCK, O_WRONLY, S_IFBLK, S_IFCHR, S_IFDIR, S_IFLNK } from '../../support/syscalls/constants.ts';
import type { Row, Table } from '../row.ts';

const DEVICES: ReadonlyArray<readonly [major: number, minor: number]> = [
  [0, 0],
  [1, 3],
  [8, 255],
  [8, 256],
  [255, 65_535],
  [259, 1_048_575],
  [4_095, 1_048_575],
];

const numbers: Row[] = (
  [
    ['character', S_IFCHR],
    ['block', S_IFBLK],
  ] as const
).flatMap(([type, format]) =>
  DEVICES.map(([major, minor]) => ({
    name: `a ${type} device ${major}:${minor} keeps its number`,
    call: ['mknod', 'x', format | 0o640, major, minor],
    after: { x: { type, mode: 0o640, rdevMajor: major, rdevMinor: minor, size: 0n, nlink: 1 } },
  })),
);

const refused: Row[] = [
  { name: 'mknod of a directory is EPERM', call: ['mknod', 'x', S_IFDIR | 0o755], error: 'EPERM' },
  { name: 'mknod of a link is EINVAL', call: ['mknod', 'x', S_IFLNK | 0o777], error: 'EINVAL' },
  { name: 'mknod of an unknown type is EINVAL', call: ['mknod', 'x', 0o170000 | 0o644], error: 'EINVAL' },
  { name: 'mknod without a type makes a file', call: ['mknod', 'x', 0o644], after: { x: { type: 'file', mode: 0o644 } } },
  { name: 'mkfifo with a slash behind the name is ENOENT', call: ['mkfifo', 'x/', 0o644], error: 'ENOENT' },
  { name: 'mknod with a slash behind the name is ENOENT', call: ['mknod', 'x/', 0o644], error: 'ENOENT' },
  { name: 'symlink with a slash behind the name is ENOENT', call: ['symlink', 't', 'x/'], error: 'ENOENT' },
  { name: 'mkdir with a slash behind the name works', call: ['mkdir', 'x/', 0o755], after: { x: { type: 'directory', nlink: 2 } } },
  { name: 'mkdir through a dangling link is EEXIST', setup: [['symlink', 'no', 'x']], call: ['mkdir', 'x', 0o755], error: 'EEXIST' },
  {
    name: 'mkdir with a slash behind a dangling link is EEXIST',
    setup: [['symlink', 'no', 'x']],
    call: ['mkdir', 'x/', 0o755],
    error: 'EEXIST',
  },
];

const opened: Row[] = [
  {
    name: 'a fifo without a reader can not be opened for writing without waiting',
    setup: [['mkfifo', 'x', 0o644]],
    call: ['open', 'x', O_WRONLY | O_NONBLOCK],
    error: 'ENXIO',
  },
  { name: 'a fifo can be opened for reading without waiting', setup: [['mkfifo', 'x', 0o644]], call: ['open', 'x', O_RDONLY | O_NONBLOCK] },
  {
    name: 'what is written into a fifo comes out',
    setup: [['mkfifo', 'x', 0o644]],
    steps: [
      ['open', 'x', O_RDWR, 0, 'x'],
      ['write', 'x', 'through'],
    ],
    call: ['read', 'x', 100],
    text: 'through',
    after: { x: { size: 0n } },
  },
  { name: 'a socket can not be opened', setup: [['mknod', 'x', 0o140644]], call: ['open', 'x', O_RDONLY], error: 'ENXIO' },
  {
    name: 'a device without a driver is ENXIO',
    needs: 'devices',
    setup: [['mknod', 'x', S_IFCHR | 0o644, 255, 65_535]],
    call: ['open', 'x', O_RDONLY],
    error: 'ENXIO',
  },
  {
    name: 'the null device swallows and gives nothing',
    needs: 'devices',
    setup: [['mknod', 'x', S_IFCHR | 0o644, 1, 3]],
    steps: [
      ['open', 'x', O_RDWR, 0, 'x'],
      ['write', 'x', 'gone'],
    ],
    call: ['read', 'x', 10],
    result: 0,
  },
];

export const mknodTable: Table = { name: 'mknod', rows: [...numbers, ...refused, ...opened] };
