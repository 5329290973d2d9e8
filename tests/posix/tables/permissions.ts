/** Who may pass through, read, write and execute: every permission digit for every class of users. */
import { AT_EACCESS, O_DIRECTORY, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY, R_OK, W_OK, X_OK } from '../../support/syscalls/constants.ts';
import type { Call } from '../../support/syscalls/system-calls.ts';
import { OWNER } from '../../support/users.ts';
import { DIGITS, USER_CLASSES, type UserClass, make, modeFor, octal } from '../objects.ts';
import { PATH_USERS, type PathUser } from '../path-users.ts';
import type { Row, Table } from '../row.ts';
import { othersFor, wantedBy } from './paths.ts';

const READ = 4;
const WRITE = 2;
const SEARCH = 1;

/** Every class with every digit. */
function combinations<T>(row: (userClass: UserClass, digit: number) => T): T[] {
  return USER_CLASSES.flatMap((userClass) => DIGITS.map((digit) => row(userClass, digit)));
}

function allowed(digit: number, needed: number): { readonly error?: 'EACCES' } {
  return (digit & needed) === needed ? {} : { error: 'EACCES' };
}

/** `way/in/x`, where `way` has the mode in question and `in` lets everybody do everything. */
function searching(user: PathUser): Row[] {
  return combinations((userClass, digit): Row => {
    const mode = modeFor(userClass, digit);
    return {
      name: `${user.name}: passing through a directory of mode ${octal(mode)} as ${userClass.name}`,
      setup: [
        ['chmod', '.', 0o777],
        ...othersFor(user, userClass.user),
        ['mkdir', 'way', 0o777],
        ['mkdir', 'way/in', 0o777],
        ...wantedBy(user, 'way/in/x', userClass.user),
        ['chown', 'way', OWNER.uid, OWNER.gid],
        ['chmod', 'way', mode],
      ],
      as: userClass.user,
      call: user.call('way/in/x'),
      ...allowed(digit, SEARCH),
    };
  });
}

function changingEntries(user: PathUser): Row[] {
  return combinations((userClass, digit): Row => {
    const mode = modeFor(userClass, digit);
    return {
      name: `${user.name}: in a directory of mode ${octal(mode)} as ${userClass.name}`,
      setup: [
        ['chmod', '.', 0o777],
        ...othersFor(user, userClass.user),
        ['mkdir', 'in', 0o777],
        ...wantedBy(user, 'in/x', userClass.user),
        ['chown', 'in', OWNER.uid, OWNER.gid],
        ['chmod', 'in', mode],
      ],
      as: userClass.user,
      call: user.call('in/x'),
      ...allowed(digit, WRITE | SEARCH),
    };
  });
}

interface Use {
  readonly name: string;
  readonly type: 'file' | 'directory';
  readonly call: Call;
  readonly needs: number;
}

const USES: readonly Use[] = [
  { name: 'open for reading', type: 'file', call: ['open', 'x', O_RDONLY], needs: READ },
  { name: 'open for writing', type: 'file', call: ['open', 'x', O_WRONLY], needs: WRITE },
  { name: 'open for both', type: 'file', call: ['open', 'x', O_RDWR], needs: READ | WRITE },
  { name: 'open that truncates', type: 'file', call: ['open', 'x', O_RDONLY | O_TRUNC], needs: READ | WRITE },
  { name: 'truncate', type: 'file', call: ['truncate', 'x', 1], needs: WRITE },
  { name: 'opening', type: 'directory', call: ['open', 'x', O_RDONLY | O_DIRECTORY], needs: READ },
  { name: 'entering', type: 'directory', call: ['chdir', 'x'], needs: SEARCH },
  ...(['file', 'directory'] as const).flatMap((type): Use[] => [
    { name: 'access for reading', type, call: ['access', 'x', R_OK], needs: READ },
    { name: 'access for writing', type, call: ['access', 'x', W_OK], needs: WRITE },
    { name: 'access for executing', type, call: ['access', 'x', X_OK], needs: SEARCH },
    { name: 'access for all', type, call: ['access', 'x', R_OK | W_OK | X_OK], needs: READ | WRITE | SEARCH },
    { name: 'faccessat with the effective user', type, call: ['faccessat', 'x', R_OK | W_OK, AT_EACCESS], needs: READ | WRITE },
    { name: 'reading an xattr', type, call: ['getxattr', 'x', 'user.a'], needs: READ },
    { name: 'setting an xattr', type, call: ['setxattr', 'x', 'user.b', 'c'], needs: WRITE },
    { name: 'removing an xattr', type, call: ['removexattr', 'x', 'user.a'], needs: WRITE },
  ]),
];

function using(use: Use): Row[] {
  return combinations((userClass, digit): Row => {
    const mode = modeFor(userClass, digit);
    return {
      name: `${use.name}: a ${use.type} of mode ${octal(mode)} as ${userClass.name}`,
      setup: [...make(use.type, 'x'), ['setxattr', 'x', 'user.a', 'b'], ['chown', 'x', OWNER.uid, OWNER.gid], ['chmod', 'x', mode]],
      as: userClass.user,
      call: use.call,
      ...allowed(digit, use.needs),
    };
  });
}

const ROOT_MAY: readonly Row[] = [
  ...USES.filter(({ name }) => !/execut|all/.test(name)).map((use): Row => ({
    name: `${use.name}: root may on a ${use.type} of mode 0000`,
    setup: [...make(use.type, 'x', { owner: OWNER }), ['setxattr', 'x', 'user.a', 'b'], ['chmod', 'x', 0]],
    call: use.call,
  })),
  ...[0o100, 0o010, 0o001].map((mode): Row => ({
    name: `access for executing: root may if anybody may, as with mode ${octal(mode)}`,
    setup: make('file', 'x', { owner: OWNER, mode }),
    call: ['access', 'x', X_OK],
  })),
  {
    name: 'access for executing: root may not execute a file that nobody may',
    setup: make('file', 'x', { owner: OWNER, mode: 0o666 }),
    call: ['access', 'x', X_OK],
    error: 'EACCES',
  },
  {
    name: 'access for executing: root may search a directory that nobody may',
    setup: make('directory', 'x', { owner: OWNER, mode: 0 }),
    call: ['access', 'x', X_OK],
  },
];

export const permissionTable: Table = {
  name: 'permissions',
  rows: [
    ...PATH_USERS.flatMap((user) => searching(user)),
    ...PATH_USERS.filter(({ changesEntry }) => changesEntry).flatMap((user) => changingEntries(user)),
    ...USES.flatMap((use) => using(use)),
    ...ROOT_MAY,
  ],
};
