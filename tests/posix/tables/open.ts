/** open(2): flags, errors and their order, what O_CREAT, O_TRUNC and O_EXCL do. */
import {
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOATIME,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_SYNC,
  O_TRUNC,
  O_WRONLY,
} from '../../support/syscalls/constants.ts';
import { OWNER, STRANGER } from '../../support/users.ts';
import { NON_DIRECTORIES, make } from '../objects.ts';
import type { Row, Table } from '../row.ts';

const ACCESS_MODES = [
  ['reading', O_RDONLY],
  ['writing', O_WRONLY],
  ['both', O_RDWR],
] as const;

const directories: Row[] = [
  { name: 'a directory opens for reading', setup: make('directory', 'd'), call: ['open', 'd', O_RDONLY] },
  { name: 'a directory does not open for writing', setup: make('directory', 'd'), call: ['open', 'd', O_WRONLY], error: 'EISDIR' },
  { name: 'a directory does not open for both', setup: make('directory', 'd'), call: ['open', 'd', O_RDWR], error: 'EISDIR' },
  {
    name: 'a directory can not be truncated by open',
    setup: make('directory', 'd'),
    call: ['open', 'd', O_RDONLY | O_TRUNC],
    error: 'EISDIR',
  },
  {
    name: 'a directory can not be created by open',
    setup: make('directory', 'd'),
    call: ['open', 'd', O_RDONLY | O_CREAT, 0o644],
    error: 'EISDIR',
  },
  { name: 'a name with a slash behind is no file to create', call: ['open', 'x/', O_WRONLY | O_CREAT, 0o644], error: 'EISDIR' },
  {
    name: 'a read of a directory is EISDIR',
    setup: make('directory', 'd'),
    steps: [['open', 'd', O_RDONLY, 0, 'd']],
    call: ['read', 'd', 10],
    error: 'EISDIR',
  },
  ...NON_DIRECTORIES.map((type): Row => ({
    name: `O_DIRECTORY refuses a ${type}`,
    setup: make(type, 'x'),
    call: ['open', 'x', O_RDONLY | O_DIRECTORY],
    error: type === 'symlink' ? 'ENOENT' : 'ENOTDIR',
  })),
  {
    name: 'O_DIRECTORY follows a link to a directory',
    setup: [...make('directory', 'd'), ['symlink', 'd', 'l']],
    call: ['open', 'l', O_RDONLY | O_DIRECTORY],
  },
  {
    name: 'O_DIRECTORY refuses a link to a file',
    setup: [...make('file', 'x'), ['symlink', 'x', 'l']],
    call: ['open', 'l', O_RDONLY | O_DIRECTORY],
    error: 'ENOTDIR',
  },
];

const links: Row[] = [
  {
    name: 'O_NOFOLLOW refuses a link',
    setup: [...make('file', 'x'), ['symlink', 'x', 'l']],
    call: ['open', 'l', O_RDONLY | O_NOFOLLOW],
    error: 'ELOOP',
  },
  {
    name: 'O_NOFOLLOW refuses a dangling link even when creating',
    setup: make('symlink', 'l'),
    call: ['open', 'l', O_CREAT | O_WRONLY | O_NOFOLLOW, 0o644],
    error: 'ELOOP',
  },
  {
    name: 'O_NOFOLLOW with O_DIRECTORY refuses a link to a directory',
    setup: [...make('directory', 'd'), ['symlink', 'd', 'l']],
    call: ['open', 'l', O_DIRECTORY | O_NOFOLLOW],
    error: 'ENOTDIR',
  },
  {
    name: 'O_NOFOLLOW minds only the last component',
    setup: [...make('directory', 'd'), ...make('file', 'd/x'), ['symlink', 'd', 'l']],
    call: ['open', 'l/x', O_RDONLY | O_NOFOLLOW],
  },
  {
    name: 'O_PATH with O_NOFOLLOW opens the link itself',
    setup: make('symlink', 'l'),
    steps: [['open', 'l', O_PATH | O_NOFOLLOW, 0, 'l']],
    call: ['fstat', 'l'],
    data: { type: 'symlink' },
  },
  {
    name: 'O_CREAT makes what a dangling link names',
    setup: [['symlink', 'made', 'l']],
    call: ['open', 'l', O_CREAT | O_WRONLY, 0o640],
    after: { made: { type: 'file', mode: 0o640 }, l: { type: 'symlink' } },
  },
];

const creating: Row[] = [
  {
    name: 'O_CREAT leaves the mode, owner and contents of an existing file',
    setup: make('file', 'x', { owner: OWNER, mode: 0o604, content: 'hello' }),
    call: ['open', 'x', O_CREAT | O_RDWR, 0o777],
    after: { x: { mode: 0o604, uid: OWNER.uid, size: 5n } },
    times: { x: '', '.': '' },
  },
  {
    name: 'O_CREAT of an existing file needs no right to write the directory',
    setup: make('file', 'x', { mode: 0o666 }),
    as: STRANGER,
    call: ['open', 'x', O_CREAT | O_WRONLY, 0o644],
  },
  {
    name: 'O_CREAT may give the maker less than the descriptor has',
    setup: [['chmod', '.', 0o777]],
    as: OWNER,
    steps: [['open', 'x', O_CREAT | O_RDWR, 0, 'x']],
    call: ['write', 'x', 'allowed'],
    result: 7,
    after: { x: { mode: 0, size: 7n } },
  },
  {
    name: 'O_CREAT with O_RDONLY makes an empty file',
    call: ['open', 'x', O_CREAT | O_RDONLY, 0o444],
    after: { x: { mode: 0o444, size: 0n, blocks: 0n } },
    times: { '.': 'mc' },
  },
  { name: 'O_EXCL without O_CREAT is no obstacle', setup: make('file', 'x'), call: ['open', 'x', O_RDONLY | O_EXCL] },
  {
    name: 'O_CREAT with O_EXCL refuses a dangling link',
    setup: make('symlink', 'x'),
    call: ['open', 'x', O_CREAT | O_EXCL | O_WRONLY, 0o644],
    error: 'EEXIST',
  },
];

const truncating: Row[] = [
  ...ACCESS_MODES.map(([name, flags]): Row => ({
    name: `O_TRUNC for ${name} empties a file`,
    setup: make('file', 'x', { content: 'hello' }),
    call: ['open', 'x', flags | O_TRUNC],
    after: { x: { size: 0n, blocks: 0n } },
    times: { x: 'mc', '.': '' },
  })),
  {
    name: 'O_TRUNC of an empty file moves its times',
    setup: make('file', 'x'),
    call: ['open', 'x', O_WRONLY | O_TRUNC],
    times: { x: 'mc' },
  },
  {
    name: 'O_TRUNC without permission leaves the contents',
    setup: make('file', 'x', { content: 'hello', mode: 0o444, owner: OWNER }),
    as: STRANGER,
    call: ['open', 'x', O_RDONLY | O_TRUNC],
    error: 'EACCES',
    contents: { x: 'hello' },
    times: { x: '' },
  },
  {
    name: 'O_TRUNC takes setuid and setgid away',
    setup: make('file', 'x', { content: 'hello', mode: 0o6777, owner: OWNER }),
    as: STRANGER,
    call: ['open', 'x', O_WRONLY | O_TRUNC],
    after: { x: { mode: 0o777, size: 0n } },
  },
  {
    name: 'O_TRUNC does nothing to a fifo',
    setup: make('fifo', 'x'),
    call: ['open', 'x', O_RDWR | O_TRUNC],
    after: { x: { type: 'fifo' } },
  },
];

const descriptors: Row[] = [
  {
    name: 'a descriptor for reading does not write',
    setup: make('file', 'x'),
    steps: [['open', 'x', O_RDONLY, 0, 'x']],
    call: ['write', 'x', 'no'],
    error: 'EBADF',
  },
  {
    name: 'a descriptor for writing does not read',
    setup: make('file', 'x'),
    steps: [['open', 'x', O_WRONLY, 0, 'x']],
    call: ['read', 'x', 1],
    error: 'EBADF',
  },
  {
    name: 'O_PATH does not read',
    setup: make('file', 'x', { content: 'hello' }),
    steps: [['open', 'x', O_PATH, 0, 'x']],
    call: ['read', 'x', 1],
    error: 'EBADF',
  },
  { name: 'O_PATH needs no permission', setup: make('file', 'x', { mode: 0 }), as: STRANGER, call: ['open', 'x', O_PATH] },
  {
    name: 'O_APPEND writes at the end, wherever the position is',
    setup: make('file', 'x', { content: 'start' }),
    steps: [
      ['open', 'x', O_RDWR | O_APPEND, 0, 'x'],
      ['lseek', 'x', 0, 0],
    ],
    call: ['write', 'x', '+end'],
    contents: { x: 'start+end' },
  },
  {
    name: 'two descriptors with O_APPEND do not overwrite each other',
    setup: make('file', 'x'),
    steps: [
      ['open', 'x', O_WRONLY | O_APPEND, 0, 'a'],
      ['open', 'x', O_WRONLY | O_APPEND, 0, 'b'],
      ['write', 'a', 'one,'],
      ['write', 'b', 'two,'],
    ],
    call: ['write', 'a', 'three'],
    contents: { x: 'one,two,three' },
  },
  {
    name: 'pwrite on O_APPEND appends, as Linux does',
    setup: make('file', 'x', { content: 'start' }),
    steps: [['open', 'x', O_RDWR | O_APPEND, 0, 'x']],
    call: ['pwrite', 'x', '+end', 0],
    contents: { x: 'start+end' },
  },
  {
    name: 'O_SYNC writes',
    setup: make('file', 'x'),
    steps: [['open', 'x', O_WRONLY | O_SYNC, 0, 'x']],
    call: ['write', 'x', 'hello'],
    contents: { x: 'hello' },
  },
  { name: 'O_NOATIME is for the owner', setup: make('file', 'x', { owner: OWNER }), as: OWNER, call: ['open', 'x', O_RDONLY | O_NOATIME] },
  {
    name: 'O_NOATIME is not for others',
    setup: make('file', 'x', { owner: OWNER }),
    as: STRANGER,
    call: ['open', 'x', O_RDONLY | O_NOATIME],
    error: 'EPERM',
  },
  {
    name: 'a file stays readable after its name went',
    setup: make('file', 'x', { content: 'hello' }),
    steps: [
      ['open', 'x', O_RDONLY, 0, 'x'],
      ['unlink', 'x'],
    ],
    call: ['read', 'x', 10],
    text: 'hello',
    after: { x: 'absent' },
  },
  {
    name: 'a file whose name went can be written and grows',
    setup: make('file', 'x', { content: 'hello' }),
    steps: [
      ['open', 'x', O_RDWR, 0, 'x'],
      ['unlink', 'x'],
      ['pwrite', 'x', ' world', 5],
    ],
    call: ['fstat', 'x'],
    data: { size: 11n, nlink: 0 },
  },
  {
    name: 'a directory that was removed has nothing to list',
    setup: make('directory', 'd'),
    steps: [
      ['open', 'd', O_RDONLY, 0, 'd'],
      ['rmdir', 'd'],
    ],
    call: ['listDirectory', 'd'],
    error: 'ENOENT',
  },
  {
    name: 'openat goes on from a directory that was renamed',
    setup: [...make('directory', 'd'), ...make('file', 'd/x')],
    steps: [
      ['open', 'd', O_RDONLY, 0, 'd'],
      ['rename', 'd', 'e'],
    ],
    call: ['openat', 'd', 'x', O_RDONLY, 0, 'x'],
  },
  {
    name: 'openat from a file is ENOTDIR',
    setup: make('file', 'x'),
    steps: [['open', 'x', O_RDONLY, 0, 'x']],
    call: ['openat', 'x', 'y', O_RDONLY, 0, 'y'],
    error: 'ENOTDIR',
  },
];

export const openTable: Table = { name: 'open', rows: [...directories, ...links, ...creating, ...truncating, ...descriptors] };
