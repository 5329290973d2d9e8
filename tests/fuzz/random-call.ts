/**
 * Random system calls of an ordinary user with bad intentions: few names, so that calls meet; arguments at the edges of what they may be, and
 * beyond. Left out is only what blocks by its nature, such as a FIFO without the other end.
 */
import type { Random } from '../support/random.ts';
import { openSlots, type Path, type TimeArgument } from '../support/syscalls/arguments.ts';
import {
  LOCK_NB,
  O_APPEND,
  O_CREAT,
  O_DIRECT,
  O_DIRECTORY,
  O_EXCL,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_SYNC,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  S_IFIFO,
  S_IFREG,
  S_IFSOCK,
} from '../support/syscalls/constants.ts';
import type { RecordLock } from '../support/syscalls/lock-calls.ts';
import type { Call } from '../support/syscalls/system-calls.ts';

export const SLOTS: readonly string[] = ['h0', 'h1', 'h2', 'h3', 'h4', 'h5'];
const NAMES = ['a', 'b', 'c', 'd', 'e'];
const CONTROL_FILE = '.__s3ql__ctrl__';
const CONTROL_ATTRIBUTES = [
  's3ql_pid?',
  's3qlstat',
  's3ql_flushcache!',
  's3ql_dropcache!',
  'copy',
  'lock',
  'rmtree',
  'logging',
  'cachesize',
];
const XATTRS = ['user.x', 'user.y', 'user.', 'trusted.x', 'security.x', 'system.posix_acl_access', 'system.posix_acl_default', 'x', ''];
/** `dd`-like buffers, and now and then a large one. */
const MAX_BUFFER_BYTES = 1 << 20;
const LARGEST_XATTR_BYTES = 70_000;
const PAGE_BYTES = 4096;
const EDGES: readonly bigint[] = [
  ...[0n, 1n, 2n, 12n, 31n, 32n, 53n, 63n].flatMap((power) => [(1n << power) - 1n, 1n << power]),
  131_071n,
  131_072n,
  262_144n,
  -1n,
  -(1n << 63n),
].map((edge) => BigInt.asIntN(64, edge));

/** Mostly one call; depends on which slots are open. */
export function randomCalls(random: Random): readonly Call[] {
  return random.pick(GENERATORS)(random);
}

const GENERATORS: ReadonlyArray<(random: Random) => readonly Call[]> = [
  // What most other calls live on comes more often.
  ...Array.from({ length: 6 }, () => opening),
  ...Array.from({ length: 3 }, () => (random: Random): Call[] => [['pwrite', slot(random), bytes(random), offset(random)]]),
  ...Array.from({ length: 3 }, () => (random: Random): Call[] => [['pread', slot(random), size(random), offset(random)]]),
  (random) => [['mkdir', path(random), mode(random)]],
  (random) => [['mkdir', path(random), 0o777]],
  (random) => [['rmdir', path(random)]],
  (random) => [['unlink', path(random)]],
  (random) => [['symlink', path(random), path(random)]],
  (random) => [['readlink', path(random)]],
  (random) => [['link', path(random), path(random), random.pick([0, 0x400, 0x1000, flags(random)])]],
  (random) => [['rename', path(random), path(random), random.pick([0, 0, 1, 2, 4, 3, flags(random)])]],
  (random) => [['mknod', path(random), random.pick([S_IFREG, S_IFIFO, S_IFSOCK, flags(random)]) | mode(random), random.below(300), 1]],
  (random) => [['chmod', path(random), mode(random)]],
  (random) => [['lchown', path(random), id(random), id(random)]],
  (random) => [['truncate', path(random), offset(random)]],
  (random) => [['utimensat', path(random), [time(random), time(random)], random.pick([0, 0x100, flags(random)])]],
  (random) => [['access', path(random), random.below(9)]],
  (random) => [['stat', path(random)]],
  (random) => [['lstat', path(random)]],
  (random) => [['statfs', path(random)]],
  (random) => [['chdir', random.pick(['/', '/', '/', '/', path(random)])]],
  (random) => [['nameToHandle', path(random)]],
  (random) => [['setxattr', path(random), xattrName(random), xattrValue(random), random.pick([0, 0, 1, 2, 3, flags(random)])]],
  (random) => [
    ['setxattr', controlFile(random), random.pick(CONTROL_ATTRIBUTES), random.pick(['1', '(1, 1)', "(1, b'a')", bytes(random)])],
  ],
  (random) => [['getxattr', path(random), xattrName(random), random.below(LARGEST_XATTR_BYTES)]],
  (random) => [['getxattr', controlFile(random), random.pick(CONTROL_ATTRIBUTES)]],
  (random) => [['listxattr', path(random), random.below(LARGEST_XATTR_BYTES)]],
  (random) => [['removexattr', path(random), xattrName(random)]],
  (random) => [['write', slot(random), bytes(random)]],
  (random) => [['read', slot(random), size(random)]],
  (random) => [['ftruncate', slot(random), offset(random)]],
  (random) => [
    ['fallocate', slot(random), random.pick([0, 1, 3, 0x10, 0x11, 8, 0x20, 0x40, flags(random)]), offset(random), offset(random)],
  ],
  (random) => [['copyFileRange', slot(random), offset(random), slot(random), offset(random), offset(random), random.pick([0, 0, 0, 1])]],
  (random) => [['copyFileRange', slot(random), 0, slot(random), offset(random), 1 << 20]],
  (random) => [['cloneFile', slot(random), slot(random)]],
  (random) => [['lseek', slot(random), offset(random), random.below(6)]],
  (random) => [['getdents', slot(random), random.pick([16, 80, 4096, 65_536])]],
  (random) => [['fchmod', slot(random), mode(random)]],
  (random) => [['futimens', slot(random), [time(random), time(random)]]],
  (random) => [['fstat', slot(random)]],
  (random) => [['fsync', slot(random)]],
  (random) => [['fdatasync', slot(random)]],
  (random) => [['getInodeFlags', slot(random)]],
  (random) => [['setInodeFlags', slot(random), random.pick([0x10, 0, flags(random)])]],
  (random) => [['anyIoctl', slot(random), flags(random), random.below(256)]],
  (random) => [['flock', slot(random), random.below(16) | LOCK_NB]],
  (random) => [['setLock', slot(random), lock(random)]],
  (random) => [['getLock', slot(random), lock(random)]],
  (random) => [['forgetPages', slot(random)]],
  (random) => [['readMapped', slot(random), 1 + random.below(4 * PAGE_BYTES), page(random)]],
  (random) => [['writeMapped', slot(random), 'mapped', page(random), random.below(PAGE_BYTES - 6), random.below(2) === 0]],
];

function opening(random: Random): readonly Call[] {
  const taken = new Set(openSlots());
  const free = SLOTS.filter((each) => !taken.has(each));
  if (free.length === 0) return [['close', slot(random)]];
  const access = random.pick([O_RDONLY, O_WRONLY, O_RDWR, O_RDWR, O_RDWR]);
  const extra = random.pick([
    0,
    O_CREAT,
    O_CREAT,
    O_CREAT,
    O_CREAT | O_EXCL,
    O_CREAT | O_TRUNC,
    O_APPEND | O_CREAT,
    O_SYNC,
    O_DIRECT | O_CREAT,
    O_DIRECTORY,
    O_PATH,
    O_TMPFILE,
    flags(random),
  ]);
  return [['open', path(random), access | extra | O_NONBLOCK, mode(random), random.pick(free)]];
}

function slot(random: Random): string {
  return random.pick(SLOTS);
}

function path(random: Random): Path {
  const name = random.pick(NAMES);
  switch (random.below(32)) {
    case 0:
      return controlFile(random);
    case 1:
      return random.pick(['', '.', '..', '/', '../..', `${name}/..`, `${name}/.`, `${name}/`, '/a', '/a/b']);
    case 2:
      return random.pick(['n'.repeat(255), 'n'.repeat(256), './'.repeat(2047) + name, './'.repeat(2048), `${'n'.repeat(256)}/a`]);
    case 3:
      return random.bytes(1 + random.below(20)).map((byte) => (byte === 0 ? 1 : byte));
    case 4:
      return null;
    default:
      return random.below(2) === 0 ? name : `${random.pick(NAMES)}/${name}`;
  }
}

function controlFile(random: Random): string {
  return random.pick([CONTROL_FILE, `/${CONTROL_FILE}`, `a/${CONTROL_FILE}`]);
}

function flags(random: Random): number {
  return random.below(2) === 0 ? 1 << random.below(31) : random.below(2 ** 31);
}

function mode(random: Random): number {
  return random.pick([0o777, 0o777, 0o777, 0o777, 0o777, 0o666, 0o600, 0o7777, 0o4711, 0o2755, 0o1777, 0, random.below(2 ** 16)]);
}

function id(random: Random): number {
  return random.pick([-1, 0, 21_001, 21_002, 2 ** 31 - 1]);
}

/** Offsets and lengths: the edges of what 64 bits hold, and what is near. */
function offset(random: Random): bigint {
  return random.below(3) === 0 ? random.pick(EDGES) : BigInt(random.below(400_000));
}

function page(random: Random): number {
  return PAGE_BYTES * random.below(100);
}

function size(random: Random): number {
  return random.pick([0, 1, random.below(100), random.below(PAGE_BYTES), PAGE_BYTES, random.below(MAX_BUFFER_BYTES)]);
}

function bytes(random: Random): Uint8Array {
  return Buffer.alloc(random.below(20) === 0 ? random.below(MAX_BUFFER_BYTES) : random.below(2 * PAGE_BYTES), random.below(256));
}

function time(random: Random): TimeArgument {
  const sec = random.pick([...EDGES, 0n, -315_619_200n, 9_223_372_036n, 9_223_372_037n, -9_223_372_037n]);
  return random.pick(['now', 'omit', { sec, nsec: random.pick([0, 1, 999_999_999, 1_000_000_000, -1]) }] as const);
}

function xattrName(random: Random): Path {
  return random.pick([...XATTRS, `user.${'n'.repeat(250)}`, `user.${'n'.repeat(251)}`, random.bytes(8).map((byte) => byte | 1)]);
}

/** Now and then what is nearly an ACL. */
function xattrValue(random: Random): Uint8Array {
  if (random.below(2) === 0) return Buffer.alloc(random.pick([0, 10, 300, 65_536, 65_537, random.below(LARGEST_XATTR_BYTES)]), 7);
  const acl = Buffer.from('0200000001000600ffffffff02000400e803000004000400ffffffff10000600ffffffff20000400ffffffff', 'hex');
  if (random.below(2) === 0) acl[random.below(acl.length)] = random.below(256);
  return acl.subarray(0, random.below(4) === 0 ? random.below(acl.length) : acl.length);
}

function lock(random: Random): RecordLock {
  return { type: random.pick(['read', 'write', 'unlock']), start: offset(random), lengthBytes: offset(random) };
}
