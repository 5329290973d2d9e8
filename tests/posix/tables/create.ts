/** What mkdir(2), mkfifo(2), mknod(2), symlink(2) and open(2) with O_CREAT have in common: a new object, its mode, owner and times. */
import { O_CREAT, O_EXCL, O_WRONLY, S_IFBLK, S_IFCHR, S_IFIFO, S_IFREG, S_IFSOCK } from '../../support/syscalls/constants.ts';
import type { FileType } from '../../support/syscalls/file-attributes.ts';
import type { Call } from '../../support/syscalls/system-calls.ts';
import { OWNER, STRANGER } from '../../support/users.ts';
import { FILE_TYPES, make, octal } from '../objects.ts';
import type { Row, Table } from '../row.ts';

export interface Creation {
  readonly name: string;
  readonly type: FileType;
  readonly call: (path: string, mode: number) => Call;
  readonly onlyRoot?: boolean;
}

export const CREATIONS: readonly Creation[] = [
  { name: 'open', type: 'file', call: (path, mode) => ['open', path, O_CREAT | O_WRONLY | O_EXCL, mode] },
  { name: 'mkdir', type: 'directory', call: (path, mode) => ['mkdir', path, mode] },
  { name: 'mkfifo', type: 'fifo', call: (path, mode) => ['mkfifo', path, mode] },
  { name: 'mknod of a file', type: 'file', call: (path, mode) => ['mknod', path, S_IFREG | mode] },
  { name: 'mknod of a fifo', type: 'fifo', call: (path, mode) => ['mknod', path, S_IFIFO | mode] },
  { name: 'mknod of a socket', type: 'socket', call: (path, mode) => ['mknod', path, S_IFSOCK | mode] },
  { name: 'mknod of a character device', type: 'character', call: (path, mode) => ['mknod', path, S_IFCHR | mode, 5, 1], onlyRoot: true },
  { name: 'mknod of a block device', type: 'block', call: (path, mode) => ['mknod', path, S_IFBLK | mode, 8, 3], onlyRoot: true },
  { name: 'symlink', type: 'symlink', call: (path) => ['symlink', 'target', path] },
];

/** The mode of a new object: a link's is always 0777; mkdir takes only the sticky bit of the special ones from its caller. */
function modeOf(creation: Creation, mode: number, umask: number): number {
  if (creation.type === 'symlink') return 0o777;
  return mode & ~umask & (creation.type === 'directory' ? 0o1777 : 0o7777);
}

const modes: Row[] = CREATIONS.flatMap((creation) =>
  [
    [0o777, 0],
    [0o777, 0o22],
    [0o666, 0o77],
    [0o644, 0o777],
    [0o7777, 0],
    [0o7777, 0o27],
    [0o151, 0o70],
    [0, 0],
  ].map(([mode = 0, umask = 0]) => ({
    name: `${creation.name} with mode ${octal(mode)} and umask ${octal(umask)}`,
    setup: [['chmod', '.', 0o777]],
    umask,
    as: creation.onlyRoot === true ? { ...OWNER, uid: 0 } : OWNER,
    call: creation.call('x', mode),
    after: { x: { type: creation.type, mode: modeOf(creation, mode, umask) } },
  })),
);

const owners: Row[] = CREATIONS.flatMap((creation): Row[] => {
  const user = creation.onlyRoot === true ? { ...OWNER, uid: 0 } : OWNER;
  return [
    {
      name: `${creation.name}: the new object belongs to its maker`,
      setup: [
        ['mkdir', 'd', 0o777],
        ['chown', 'd', STRANGER.uid, STRANGER.gid],
        ['chmod', 'd', 0o777],
      ],
      as: user,
      call: creation.call('d/x', 0o755),
      after: { 'd/x': { uid: user.uid, gid: user.gid, nlink: creation.type === 'directory' ? 2 : 1 } },
    },
    {
      name: `${creation.name}: in a setgid directory it has the directory's group`,
      setup: [
        ['mkdir', 'd', 0o777],
        ['chown', 'd', STRANGER.uid, STRANGER.gid],
        ['chmod', 'd', 0o2777],
      ],
      as: user,
      call: creation.call('d/x', 0o755),
      after: {
        'd/x': {
          uid: user.uid,
          gid: STRANGER.gid,
          mode: creation.type === 'directory' ? 0o2755 : modeOf(creation, 0o755, 0),
        },
      },
    },
  ];
});

const entries: Row[] = CREATIONS.flatMap((creation): Row[] => [
  {
    name: `${creation.name}: the parent's times move, and its link count if it gets a subdirectory`,
    setup: [['mkdir', 'd', 0o755]],
    call: creation.call('d/x', 0o755),
    times: { d: 'mc', '.': '' },
    after: { d: { nlink: creation.type === 'directory' ? 3 : 2 } },
  },
  ...FILE_TYPES.map((type): Row => ({
    name: `${creation.name}: an existing ${type} is EEXIST`,
    setup: make(type, 'x'),
    call: creation.call('x', 0o644),
    error: 'EEXIST',
    after: { x: { type } },
    times: { x: '', '.': '' },
  })),
  {
    name: `${creation.name}: a link to something is EEXIST`,
    setup: [...make('directory', 'd'), ['symlink', 'd', 'x']],
    call: creation.call('x', 0o644),
    error: 'EEXIST',
  },
  { name: `${creation.name}: the directory itself is EEXIST`, call: creation.call('.', 0o644), error: 'EEXIST' },
  { name: `${creation.name}: the parent is EEXIST`, call: creation.call('..', 0o644), error: 'EEXIST' },
  {
    name: `${creation.name}: a directory that was removed takes nothing more`,
    setup: [
      ['mkdir', 'd', 0o755],
      ['chdir', 'd'],
      ['rmdir', '../d'],
    ],
    call: creation.call('x', 0o755),
    error: 'ENOENT',
  },
]);

const names: Row[] = CREATIONS.flatMap((creation) =>
  ['with space', '\t\n\r', '*?[]{}$`"\'\\;&|<>', 'ünïcödé 文字', '-n', '...', '\u{1f600}', 'x'.repeat(255)].map((name) => ({
    name: `${creation.name}: the name ${JSON.stringify(name).slice(0, 40)} is allowed`,
    call: creation.call(name, 0o755),
    after: { [name]: { type: creation.type } },
  })),
);

const privileges: Row[] = CREATIONS.filter(({ onlyRoot }) => onlyRoot).map((creation) => ({
  name: `${creation.name}: only root may`,
  setup: [['chmod', '.', 0o777]],
  as: OWNER,
  call: creation.call('x', 0o644),
  error: 'EPERM',
}));

export const createTable: Table = { name: 'new objects', rows: [...modes, ...owners, ...entries, ...names, ...privileges] };
