/** Extended attributes: xattr(7), setxattr(2), getxattr(2), listxattr(2), removexattr(2). */
import { O_RDWR, XATTR_CREATE, XATTR_REPLACE } from '../../support/syscalls/constants.ts';
import { OWNER, STRANGER } from '../../support/users.ts';
import { FILE_TYPES, make } from '../objects.ts';
import type { Row, Table } from '../row.ts';

const SET = ['setxattr', 'x', 'user.a', 'value'] as const;
const ANY_BYTES: Uint8Array = Uint8Array.from({ length: 256 }, (_, index) => index);

/** user.* is for files and directories only; trusted.* for everything. */
const types: Row[] = FILE_TYPES.flatMap((type): Row[] => [
  type === 'file' || type === 'directory'
    ? { name: `a ${type} takes user attributes`, setup: make(type, 'x'), call: SET, times: { x: 'c', '.': '' } }
    : { name: `a ${type} takes no user attributes`, setup: make(type, 'x'), call: SET, error: 'EPERM' },
  { name: `a ${type} takes trusted attributes`, setup: make(type, 'x'), call: ['setxattr', 'x', 'trusted.a', 'value'], times: { x: 'c' } },
  {
    name: `a trusted attribute of a ${type} is read back`,
    setup: [...make(type, 'x'), ['setxattr', 'x', 'trusted.a', 'value']],
    call: ['getxattr', 'x', 'trusted.a'],
    text: 'value',
    times: { x: '' },
  },
  { name: `a ${type} has no attributes at first`, setup: make(type, 'x'), call: ['listxattr', 'x'], data: [] },
]);

const values: Row[] = [
  ...(['', 'v', 'ünï', 'x'.repeat(255), 'x'.repeat(1000)] as const).map((value): Row => ({
    name: `a value of ${Buffer.byteLength(value)} bytes is read back`,
    setup: [...make('file', 'x'), ['setxattr', 'x', 'user.a', value]],
    call: ['getxattr', 'x', 'user.a'],
    text: value,
  })),
  {
    name: 'a value of any bytes is read back',
    setup: [...make('file', 'x'), ['setxattr', 'x', 'user.a', ANY_BYTES]],
    call: ['getxattr', 'x', 'user.a'],
    data: ANY_BYTES,
  },
  {
    name: 'a value of 64 KiB is read back',
    needs: 'large-xattrs',
    setup: [...make('file', 'x'), ['setxattr', 'x', 'user.a', 'x'.repeat(65_536)]],
    call: ['getxattr', 'x', 'user.a'],
    text: 'x'.repeat(65_536),
  },
  { name: 'a value over 64 KiB is E2BIG', setup: make('file', 'x'), call: ['setxattr', 'x', 'user.a', 'x'.repeat(65_537)], error: 'E2BIG' },
  {
    name: 'a value is replaced',
    setup: [...make('file', 'x'), SET],
    steps: [['setxattr', 'x', 'user.a', 'other']],
    call: ['getxattr', 'x', 'user.a'],
    text: 'other',
  },
  { name: 'size 0 asks for the length', setup: [...make('file', 'x'), SET], call: ['getxattr', 'x', 'user.a', 0], result: 5 },
  {
    name: 'a buffer that is too small is ERANGE',
    setup: [...make('file', 'x'), SET],
    call: ['getxattr', 'x', 'user.a', 4],
    error: 'ERANGE',
  },
  { name: 'a list asks for its length with size 0', setup: [...make('file', 'x'), SET], call: ['listxattr', 'x', 0], result: 7 },
  {
    name: 'a list in a buffer that is too small is ERANGE',
    setup: [...make('file', 'x'), SET],
    call: ['listxattr', 'x', 3],
    error: 'ERANGE',
  },
];

const names: Row[] = [
  {
    name: 'all names are listed',
    setup: [...make('file', 'x'), SET, ['setxattr', 'x', 'user.b', '1'], ['setxattr', 'x', 'trusted.c', '2']],
    call: ['listxattr', 'x'],
    data: ['trusted.c', 'user.a', 'user.b'],
  },
  {
    name: 'trusted names are for root only',
    setup: [...make('file', 'x', { mode: 0o666 }), SET, ['setxattr', 'x', 'trusted.c', '2']],
    as: STRANGER,
    call: ['listxattr', 'x'],
    data: ['user.a'],
  },
  { name: 'a name of 255 bytes is allowed', setup: make('file', 'x'), call: ['setxattr', 'x', `user.${'n'.repeat(250)}`, 'v'] },
  {
    name: 'a name of 256 bytes is ERANGE',
    setup: make('file', 'x'),
    call: ['setxattr', 'x', `user.${'n'.repeat(251)}`, 'v'],
    error: 'ERANGE',
  },
  { name: 'an empty name is ERANGE', setup: make('file', 'x'), call: ['setxattr', 'x', '', 'v'], error: 'ERANGE' },
  { name: 'a namespace alone is EINVAL', setup: make('file', 'x'), call: ['setxattr', 'x', 'user.', 'v'], error: 'EINVAL' },
  { name: 'an unknown namespace is EOPNOTSUPP', setup: make('file', 'x'), call: ['setxattr', 'x', 'other.a', 'v'], error: 'EOPNOTSUPP' },
  {
    name: 'names may hold any text',
    setup: [...make('file', 'x'), ['setxattr', 'x', 'user.ünï 文字', 'v']],
    call: ['getxattr', 'x', 'user.ünï 文字'],
    text: 'v',
  },
  {
    name: 'security attributes are kept',
    setup: [...make('file', 'x'), ['setxattr', 'x', 'security.test', 'v']],
    call: ['getxattr', 'x', 'security.test'],
    text: 'v',
  },
];

const flags: Row[] = [
  { name: 'CREATE of a new name works', setup: make('file', 'x'), call: ['setxattr', 'x', 'user.a', 'v', XATTR_CREATE] },
  {
    name: 'CREATE of an existing name is EEXIST',
    setup: [...make('file', 'x'), SET],
    call: ['setxattr', 'x', 'user.a', 'v', XATTR_CREATE],
    error: 'EEXIST',
    times: { x: '' },
  },
  {
    name: 'REPLACE of an existing name works',
    setup: [...make('file', 'x'), SET],
    call: ['setxattr', 'x', 'user.a', 'v', XATTR_REPLACE],
    times: { x: 'c' },
  },
  {
    name: 'REPLACE of a name that is not there is ENODATA',
    setup: make('file', 'x'),
    call: ['setxattr', 'x', 'user.a', 'v', XATTR_REPLACE],
    error: 'ENODATA',
    times: { x: '' },
  },
  { name: 'an unknown flag is EINVAL', setup: make('file', 'x'), call: ['setxattr', 'x', 'user.a', 'v', 8], error: 'EINVAL' },
  { name: 'a name that is not there is ENODATA', setup: make('file', 'x'), call: ['getxattr', 'x', 'user.a'], error: 'ENODATA' },
  { name: 'removing a name works', setup: [...make('file', 'x'), SET], call: ['removexattr', 'x', 'user.a'], times: { x: 'c' } },
  {
    name: 'a removed name is gone',
    setup: [...make('file', 'x'), SET],
    steps: [['removexattr', 'x', 'user.a']],
    call: ['listxattr', 'x'],
    data: [],
  },
  {
    name: 'removing a name that is not there is ENODATA',
    setup: make('file', 'x'),
    call: ['removexattr', 'x', 'user.a'],
    error: 'ENODATA',
    times: { x: '' },
  },
];

const people: Row[] = [
  {
    name: 'trusted attributes are EPERM to set for others',
    setup: make('file', 'x', { owner: OWNER }),
    as: OWNER,
    call: ['setxattr', 'x', 'trusted.a', 'v'],
    error: 'EPERM',
  },
  {
    name: 'trusted attributes are ENODATA to read for others',
    setup: [...make('file', 'x', { owner: OWNER }), ['setxattr', 'x', 'trusted.a', 'v']],
    as: OWNER,
    call: ['getxattr', 'x', 'trusted.a'],
    error: 'ENODATA',
  },
  {
    name: 'in a sticky directory the owner sets user attributes on it',
    setup: make('directory', 'x', { owner: OWNER, mode: 0o1777 }),
    as: OWNER,
    call: SET,
  },
  {
    name: 'on a sticky directory others may not set user attributes',
    setup: make('directory', 'x', { owner: OWNER, mode: 0o1777 }),
    as: STRANGER,
    call: SET,
    error: 'EPERM',
  },
  {
    name: 'an open file gives and takes attributes',
    setup: make('file', 'x', { owner: OWNER }),
    as: OWNER,
    steps: [
      ['open', 'x', O_RDWR, 0, 'x'],
      ['fsetxattr', 'x', 'user.a', 'v'],
    ],
    call: ['fgetxattr', 'x', 'user.a'],
    text: 'v',
  },
  {
    name: 'attributes belong to the file, not to a name',
    setup: [...make('file', 'x'), SET, ['link', 'x', 'y']],
    call: ['getxattr', 'y', 'user.a'],
    text: 'value',
  },
  {
    name: 'attributes stay through a rename',
    setup: [...make('file', 'x'), SET],
    steps: [['rename', 'x', 'y']],
    call: ['getxattr', 'y', 'user.a'],
    text: 'value',
  },
  {
    name: 'a new file of an old name has none',
    setup: [...make('file', 'x'), SET, ['unlink', 'x'], ...make('file', 'x')],
    call: ['listxattr', 'x'],
    data: [],
  },
  {
    name: 'file capabilities go when somebody writes',
    setup: [
      ...make('file', 'x', { mode: 0o777 }),
      ['setxattr', 'x', 'security.capability', Uint8Array.from([1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
    ],
    as: STRANGER,
    steps: [
      ['open', 'x', O_RDWR, 0, 'x'],
      ['write', 'x', 'new'],
    ],
    call: ['getxattr', 'x', 'security.capability'],
    error: 'ENODATA',
  },
];

export const xattrTable: Table = { name: 'extended attributes', rows: [...types, ...values, ...names, ...flags, ...people] };
