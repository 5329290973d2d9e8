/** POSIX access control lists: acl(5). */
import { O_CREAT, O_RDONLY, O_RDWR, O_WRONLY, S_IFSOCK } from '../../support/syscalls/constants.ts';
import type { Call } from '../../support/syscalls/system-calls.ts';
import { MEMBER, OWNER, STRANGER } from '../../support/users.ts';
import { ACCESS_ACL, type Acl, DEFAULT_ACL, encodeAcl } from '../acl.ts';
import { DIGITS, make, octal } from '../objects.ts';
import type { Row, Table } from '../row.ts';

function set(path: string, name: string, acl: Acl): Call {
  return ['setxattr', path, name, encodeAcl(acl)];
}

function get(path: string, name: string): Call {
  return ['getxattr', path, name];
}

const READ_WRITE = 6;

/** Who gets what from a named entry under a mask. */
const named: Row[] = DIGITS.flatMap((digit) =>
  [7, 4, 2].flatMap((mask): Row[] => {
    const effective = digit & mask;
    const verdict = (effective & READ_WRITE) === READ_WRITE ? {} : ({ error: 'EACCES' } as const);
    return [
      {
        name: `a named user with ${digit} under mask ${mask} opens for both`,
        setup: [
          ...make('file', 'x', { owner: OWNER }),
          set('x', ACCESS_ACL, { owner: 6, users: { [STRANGER.uid]: digit }, group: 0, mask, other: 7 }),
        ],
        as: STRANGER,
        call: ['open', 'x', O_RDWR],
        ...verdict,
      },
      {
        name: `a named group with ${digit} under mask ${mask} opens for both`,
        setup: [
          ...make('file', 'x', { owner: OWNER }),
          set('x', ACCESS_ACL, { owner: 6, group: 0, groups: { [STRANGER.gid]: digit }, mask, other: 7 }),
        ],
        as: STRANGER,
        call: ['open', 'x', O_RDWR],
        ...verdict,
      },
      {
        name: `the owning group with ${digit} under mask ${mask} opens for both`,
        setup: [...make('file', 'x', { owner: OWNER }), set('x', ACCESS_ACL, { owner: 6, users: { 5: 7 }, group: digit, mask, other: 7 })],
        as: MEMBER,
        call: ['open', 'x', O_RDWR],
        ...verdict,
      },
    ];
  }),
);

const ACL: Acl = { owner: 7, users: { [STRANGER.uid]: 6 }, group: 5, mask: 7, other: 1 };

const modes: Row[] = [
  {
    name: 'the mode shows owner, mask and other',
    setup: make('file', 'x', { mode: 0o600 }),
    call: set('x', ACCESS_ACL, ACL),
    after: { x: { mode: 0o771 } },
    times: { x: 'c' },
  },
  {
    name: 'an ACL is read back',
    setup: [...make('file', 'x'), set('x', ACCESS_ACL, ACL)],
    call: get('x', ACCESS_ACL),
    data: encodeAcl(ACL),
  },
  {
    name: 'chmod changes the mask, not the group',
    setup: [...make('file', 'x'), set('x', ACCESS_ACL, ACL), ['chmod', 'x', 0o640]],
    call: get('x', ACCESS_ACL),
    data: encodeAcl({ ...ACL, owner: 6, mask: 4, other: 0 }),
  },
  {
    name: 'an ACL that says no more than a mode becomes one',
    setup: [...make('file', 'x', { mode: 0o600 }), set('x', ACCESS_ACL, { owner: 6, group: 4, other: 4 })],
    call: get('x', ACCESS_ACL),
    error: 'ENODATA',
    after: { x: { mode: 0o644 } },
  },
  {
    name: 'removing an ACL leaves the mode',
    setup: [...make('file', 'x'), set('x', ACCESS_ACL, ACL)],
    call: ['removexattr', 'x', ACCESS_ACL],
    after: { x: { mode: 0o771 } },
  },
  {
    name: 'setuid and sticky stay when an ACL is set',
    setup: make('file', 'x', { mode: 0o5755 }),
    call: set('x', ACCESS_ACL, ACL),
    after: { x: { mode: 0o5771 } },
  },
  {
    name: 'setgid goes when somebody outside the group sets an ACL',
    setup: make('file', 'x', { owner: { ...OWNER, gid: STRANGER.gid }, mode: 0o2755 }),
    as: OWNER,
    call: set('x', ACCESS_ACL, ACL),
    after: { x: { mode: 0o771 } },
  },
  { name: 'without an ACL there is none to read', setup: make('file', 'x'), call: get('x', ACCESS_ACL), error: 'ENODATA' },
];

const refused: Row[] = [
  {
    name: 'only the owner sets an ACL',
    setup: make('file', 'x', { owner: OWNER, mode: 0o777 }),
    as: STRANGER,
    call: set('x', ACCESS_ACL, ACL),
    error: 'EPERM',
  },
  {
    name: 'only the owner removes an ACL',
    setup: [...make('file', 'x', { owner: OWNER }), set('x', ACCESS_ACL, ACL)],
    as: STRANGER,
    call: ['removexattr', 'x', ACCESS_ACL],
    error: 'EPERM',
  },
  { name: 'the owner sets an ACL', setup: make('file', 'x', { owner: OWNER }), as: OWNER, call: set('x', ACCESS_ACL, ACL) },
  {
    name: 'everybody may read an ACL',
    setup: [...make('file', 'x', { owner: OWNER }), set('x', ACCESS_ACL, { ...ACL, users: { 5: 7 }, other: 0 })],
    as: STRANGER,
    call: get('x', ACCESS_ACL),
    data: encodeAcl({ ...ACL, users: { 5: 7 }, other: 0 }),
  },
  {
    name: 'named users without a mask are EINVAL',
    setup: make('file', 'x'),
    call: set('x', ACCESS_ACL, { owner: 7, users: { 5: 7 }, group: 5, other: 1 }),
    error: 'EINVAL',
  },
  {
    name: 'a value of another version is EOPNOTSUPP',
    setup: make('file', 'x'),
    call: ['setxattr', 'x', ACCESS_ACL, 'rubbish'],
    error: 'EOPNOTSUPP',
  },
  { name: 'a file has no default ACL', setup: make('file', 'x'), call: set('x', DEFAULT_ACL, ACL), error: 'EACCES' },
  { name: 'a link has no ACL', setup: make('symlink', 'x'), call: set('x', ACCESS_ACL, ACL), error: 'EOPNOTSUPP' },
];

const DEFAULTS: Acl = { owner: 7, users: { [STRANGER.uid]: 6 }, group: 5, mask: 6, other: 0 };
const WITH_DEFAULTS: readonly Call[] = [...make('directory', 'd'), set('d', DEFAULT_ACL, DEFAULTS)];

const inherited: Row[] = [
  {
    name: 'a default ACL changes no mode',
    setup: WITH_DEFAULTS,
    call: get('d', DEFAULT_ACL),
    data: encodeAcl(DEFAULTS),
    after: { d: { mode: 0o755 } },
  },
  ...[0, 0o22, 0o77, 0o777].flatMap((umask): Row[] => [
    {
      name: `a new file gets the default ACL whatever the umask (${octal(umask)})`,
      setup: WITH_DEFAULTS,
      umask,
      call: ['open', 'd/x', O_CREAT | O_WRONLY, 0o666],
      after: { 'd/x': { mode: 0o660 } },
    },
    {
      name: `a new directory gets the default ACL whatever the umask (${octal(umask)})`,
      setup: WITH_DEFAULTS,
      umask,
      call: ['mkdir', 'd/x', 0o777],
      after: { 'd/x': { mode: 0o760 } },
    },
    {
      name: `a new fifo gets the default ACL whatever the umask (${octal(umask)})`,
      setup: WITH_DEFAULTS,
      umask,
      call: ['mkfifo', 'd/x', 0o666],
      after: { 'd/x': { mode: 0o660 } },
    },
    {
      name: `a new socket gets the default ACL whatever the umask (${octal(umask)})`,
      setup: WITH_DEFAULTS,
      umask,
      call: ['mknod', 'd/x', S_IFSOCK | 0o600],
      after: { 'd/x': { mode: 0o600 } },
    },
  ]),
  {
    name: 'the mode asked for limits what is inherited',
    setup: WITH_DEFAULTS,
    steps: [['open', 'd/x', O_CREAT | O_WRONLY, 0o640]],
    call: get('d/x', ACCESS_ACL),
    data: encodeAcl({ ...DEFAULTS, owner: 6, mask: 4 }),
  },
  {
    name: 'a new directory inherits the default ACL as its own default',
    setup: WITH_DEFAULTS,
    steps: [['mkdir', 'd/x', 0o755]],
    call: get('d/x', DEFAULT_ACL),
    data: encodeAcl(DEFAULTS),
  },
  {
    name: 'a new file has no default ACL',
    setup: WITH_DEFAULTS,
    steps: [['open', 'd/x', O_CREAT | O_WRONLY, 0o644]],
    call: get('d/x', DEFAULT_ACL),
    error: 'ENODATA',
  },
  {
    name: 'the named user of an inherited ACL gets in',
    setup: [...WITH_DEFAULTS, ['open', 'd/x', O_CREAT | O_WRONLY, 0o666]],
    as: STRANGER,
    call: ['open', 'd/x', O_RDWR],
  },
  {
    name: 'others of an inherited ACL stay out',
    setup: [...WITH_DEFAULTS, ['open', 'd/x', O_CREAT | O_WRONLY, 0o666]],
    as: OWNER,
    call: ['open', 'd/x', O_RDONLY],
    error: 'EACCES',
  },
  {
    name: 'a default ACL of only a mode replaces the umask',
    setup: [...make('directory', 'd'), set('d', DEFAULT_ACL, { owner: 7, group: 7, other: 4 })],
    umask: 0o77,
    call: ['open', 'd/x', O_CREAT | O_WRONLY, 0o666],
    after: { 'd/x': { mode: 0o664 } },
  },
  {
    name: 'without a default ACL nothing is inherited',
    setup: [...make('directory', 'd'), set('d', ACCESS_ACL, ACL), ['mkdir', 'd/x', 0o755]],
    call: get('d/x', ACCESS_ACL),
    error: 'ENODATA',
  },
  {
    name: 'a removed default ACL is not inherited',
    setup: [...WITH_DEFAULTS, ['removexattr', 'd', DEFAULT_ACL]],
    umask: 0o22,
    call: ['open', 'd/x', O_CREAT | O_WRONLY, 0o666],
    after: { 'd/x': { mode: 0o644 } },
  },
  {
    name: 'a symbolic link inherits nothing',
    setup: WITH_DEFAULTS,
    steps: [['symlink', 'target', 'd/x']],
    call: ['listxattr', 'd/x'],
    data: [],
    after: { 'd/x': { mode: 0o777 } },
  },
  {
    name: 'a moved file keeps what it has',
    setup: [...WITH_DEFAULTS, ...make('file', 'x', { mode: 0o604 })],
    call: ['rename', 'x', 'd/x'],
    after: { 'd/x': { mode: 0o604 } },
  },
];

const directories: Row[] = [
  {
    name: 'a named user may search by an ACL',
    setup: [
      ...make('directory', 'd', { mode: 0o700 }),
      ...make('file', 'd/x'),
      set('d', ACCESS_ACL, { owner: 7, users: { [STRANGER.uid]: 1 }, group: 0, mask: 7, other: 0 }),
    ],
    as: STRANGER,
    call: ['stat', 'd/x'],
  },
  {
    name: 'a named user may create by an ACL',
    setup: [
      ...make('directory', 'd', { mode: 0o700 }),
      set('d', ACCESS_ACL, { owner: 7, users: { [STRANGER.uid]: 3 }, group: 0, mask: 7, other: 0 }),
    ],
    as: STRANGER,
    call: ['mkdir', 'd/x', 0o755],
  },
  {
    name: 'an ACL is listed among the attributes',
    setup: [...make('directory', 'd'), set('d', ACCESS_ACL, ACL), set('d', DEFAULT_ACL, DEFAULTS)],
    call: ['listxattr', 'd'],
    data: [ACCESS_ACL, DEFAULT_ACL],
  },
];

export const aclTable: Table = { name: 'access control lists', rows: [...named, ...modes, ...refused, ...inherited, ...directories] };
