/** Path resolution: what POSIX (4.13) and path_resolution(7) say, for every system call that takes a path. */
import { NAME_MAX, PATH_MAX } from '../../support/syscalls/constants.ts';
import type { Call } from '../../support/syscalls/system-calls.ts';
import { type Credentials, OWNER } from '../../support/users.ts';
import { FILE_TYPES, make } from '../objects.ts';
import { PATH_USERS, type PathUser } from '../path-users.ts';
import type { Row, Table } from '../row.ts';

const LONGEST_NAME = 'n'.repeat(NAME_MAX);
/** The kernel follows no more in one path. */
const MAX_SYMLINKS = 40;

/** What the call needs beside its path. */
export function othersFor(user: PathUser, owner: Credentials = OWNER): Call[] {
  return user.needsOther === true ? make('file', 'other', { owner, mode: 0o666 }) : [];
}

/** What the call needs at its path. */
export function wantedBy(user: PathUser, path: string, owner: Credentials = OWNER): Call[] {
  return user.wants === undefined ? [] : make(user.wants, path, { owner, mode: 0o777 });
}

function missing(user: PathUser): Row[] {
  const { call, name } = user;
  const setup = othersFor(user);
  const rows: Row[] = [
    { name: `${name}: an empty path is ENOENT`, setup, call: call(''), error: 'ENOENT' },
    { name: `${name}: a directory on the way that is missing is ENOENT`, setup, call: call('missing/x'), error: 'ENOENT' },
    {
      name: `${name}: a dangling link on the way is ENOENT`,
      setup: [...setup, ['symlink', 'no', 'l']],
      call: call('l/x'),
      error: 'ENOENT',
    },
  ];
  if (user.nullIsSpecial !== true) rows.push({ name: `${name}: a NULL path is EFAULT`, setup, call: call(null), error: 'EFAULT' });
  if (user.wants !== undefined)
    rows.push({ name: `${name}: an object that is missing is ENOENT`, setup, call: call('x'), error: 'ENOENT' });
  return rows;
}

function notDirectories(user: PathUser): Row[] {
  const types = FILE_TYPES.filter((type) => type !== 'directory' && type !== 'symlink');
  const rows = types.map((type): Row => ({
    name: `${user.name}: a ${type} on the way is ENOTDIR`,
    setup: [...othersFor(user), ...make(type, 'way')],
    call: user.call('way/x'),
    error: 'ENOTDIR',
  }));
  rows.push({
    name: `${user.name}: a link to a file on the way is ENOTDIR`,
    setup: [...othersFor(user), ...make('file', 'file'), ['symlink', 'file', 'way']],
    call: user.call('way/x'),
    error: 'ENOTDIR',
  });
  if (user.wants === 'file') {
    rows.push({
      name: `${user.name}: a slash behind a file is ENOTDIR`,
      setup: [...othersFor(user), ...wantedBy(user, 'x')],
      call: user.call('x/'),
      error: 'ENOTDIR',
    });
  }
  return rows;
}

function lengths(user: PathUser): Row[] {
  const { call, name } = user;
  const setup = othersFor(user);
  const longPath = (length: number): string => `${'./'.repeat((length - 1) / 2)}x`;
  return [
    { name: `${name}: a name of 255 bytes is allowed`, setup: [...setup, ...wantedBy(user, LONGEST_NAME)], call: call(LONGEST_NAME) },
    { name: `${name}: a name of 256 bytes is ENAMETOOLONG`, setup, call: call(`${LONGEST_NAME}n`), error: 'ENAMETOOLONG' },
    { name: `${name}: a directory's name of 256 bytes is ENAMETOOLONG`, setup, call: call(`${LONGEST_NAME}n/x`), error: 'ENAMETOOLONG' },
    { name: `${name}: a path of 4095 bytes is allowed`, setup: [...setup, ...wantedBy(user, 'x')], call: call(longPath(PATH_MAX - 1)) },
    {
      name: `${name}: a path of 4096 bytes is ENAMETOOLONG`,
      setup,
      call: call(`./${longPath(PATH_MAX - 1)}`.slice(1)),
      error: 'ENAMETOOLONG',
    },
  ];
}

function links(user: PathUser): Row[] {
  const { call, name } = user;
  const chain = (count: number): Call[] =>
    Array.from({ length: count }, (_, index) => ['symlink', index === 0 ? 'd' : `l${index}`, `l${index + 1}`]);
  const rows: Row[] = [
    {
      name: `${name}: a loop of links on the way is ELOOP`,
      setup: [...othersFor(user), ['symlink', 'b', 'a'], ['symlink', 'a', 'b']],
      call: call('a/x'),
      error: 'ELOOP',
    },
    {
      name: `${name}: ${MAX_SYMLINKS} links on the way are followed`,
      setup: [...othersFor(user), ['mkdir', 'd', 0o755], ...wantedBy(user, 'd/x'), ...chain(MAX_SYMLINKS)],
      call: call(`l${MAX_SYMLINKS}/x`),
    },
    {
      name: `${name}: ${MAX_SYMLINKS + 1} links on the way are ELOOP`,
      setup: [...othersFor(user), ['mkdir', 'd', 0o755], ...wantedBy(user, 'd/x'), ...chain(MAX_SYMLINKS + 1)],
      call: call(`l${MAX_SYMLINKS + 1}/x`),
      error: 'ELOOP',
    },
  ];
  if (user.follows) {
    rows.push({
      name: `${name}: a loop of links at the end is ELOOP`,
      setup: [...othersFor(user), ['symlink', 'a', 'a']],
      call: call('a'),
      error: 'ELOOP',
    });
  }
  return rows;
}

export const pathTable: Table = {
  name: 'path resolution',
  rows: PATH_USERS.flatMap((user) => [...missing(user), ...notDirectories(user), ...lengths(user), ...links(user)]),
};
