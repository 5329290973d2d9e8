/** symlink(2) and readlink(2). */
import { make } from '../objects.ts';
import type { Row, Table } from '../row.ts';

const TARGETS = [
  'x',
  '.',
  '..',
  '/',
  '/absolute/path',
  'a/b/../c',
  'with space',
  'ünï',
  'x'.repeat(59),
  'x'.repeat(60),
  'x'.repeat(255),
  'dir/'.repeat(1000),
  'y'.repeat(4095),
];

const targets: Row[] = TARGETS.map((target) => ({
  name: `a target of ${Buffer.byteLength(target)} bytes (${target.slice(0, 20)}) is read back`,
  setup: [['symlink', target, 'l']],
  call: ['readlink', 'l'],
  text: target,
  after: { l: { type: 'symlink', mode: 0o777, size: BigInt(Buffer.byteLength(target)), nlink: 1 } },
}));

const rows: Row[] = [
  { name: 'an empty target is ENOENT', call: ['symlink', '', 'l'], error: 'ENOENT' },
  { name: 'a target of 4096 bytes is ENAMETOOLONG', call: ['symlink', 'y'.repeat(4096), 'l'], error: 'ENAMETOOLONG' },
  { name: 'readlink of a file is EINVAL', setup: make('file', 'x'), call: ['readlink', 'x'], error: 'EINVAL' },
  { name: 'readlink of a directory is EINVAL', setup: make('directory', 'x'), call: ['readlink', 'x'], error: 'EINVAL' },
  { name: 'readlink of a fifo is EINVAL', setup: make('fifo', 'x'), call: ['readlink', 'x'], error: 'EINVAL' },
  {
    name: 'a link to a link is followed',
    setup: [...make('file', 'x', { content: 'hello' }), ['symlink', 'x', 'm'], ['symlink', 'm', 'l']],
    call: ['stat', 'l'],
    data: { type: 'file', size: 5n },
  },
  {
    name: 'a relative link starts where the link is',
    setup: [...make('directory', 'd'), ...make('file', 'd/x', { content: 'hello' }), ['symlink', 'x', 'd/l']],
    call: ['stat', 'd/l'],
    data: { type: 'file', size: 5n },
  },
  {
    name: 'a link may go up',
    setup: [...make('directory', 'd'), ...make('file', 'x', { content: 'hello' }), ['symlink', '../x', 'd/l']],
    call: ['stat', 'd/l'],
    data: { size: 5n },
  },
  {
    name: 'a target may have bytes that are no UTF-8',
    setup: [['symlink', Buffer.from([0xff, 0xfe, 0x80]), 'l']],
    call: ['readlink', 'l'],
    data: new Uint8Array([0xff, 0xfe, 0x80]),
  },
];

export const linkTable: Table = { name: 'symlink', rows: [...targets, ...rows] };
