/** Random operations on a small tree: few names, so that they meet; sizes around the borders of blocks. */
import * as fc from 'fast-check';
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  O_APPEND,
  O_CREAT,
  O_EXCL,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  S_IFBLK,
  S_IFCHR,
  S_IFSOCK,
  XATTR_CREATE,
  XATTR_REPLACE,
} from '../support/syscalls/constants.ts';
import type { Call } from '../support/syscalls/system-calls.ts';
import { OWNER, ROOT, STRANGER } from '../support/users.ts';

/** System calls made one after the other on both sides, or something that only the file system under test has. */
export type Operation = readonly Call[] | 'remount' | 'drop caches';

const NAMES = ['a', 'b', 'c', 'd'];
const SLOTS = ['h1', 'h2', 'h3'];
const BLOCK = 128 * 1024;

/** Every path the operations know. */
export const PATHS: readonly string[] = NAMES.flatMap((name) => [name, ...NAMES.map((inner) => `${name}/${inner}`)]);

/** For local use (Documentation/admin-guide/devices.txt): no operation may reach a device of the machine. */
const MAJOR_WITHOUT_DRIVER = 240;
/** For both, without waiting if it is a fifo. */
const ANY = O_RDWR | O_NONBLOCK;

const path = fc.constantFrom(...PATHS);
const slot = fc.constantFrom(...SLOTS);
const offset = fc.oneof(fc.nat(20), fc.nat(3 * BLOCK), fc.constantFrom(BLOCK, BLOCK - 1, BLOCK + 1, 2 * BLOCK, 4096));
const length = fc.oneof(fc.nat(20), fc.nat(BLOCK), fc.constantFrom(BLOCK, 2 * BLOCK, 4096, 1));
const mode = fc.constantFrom(0o600, 0o644, 0o755, 0o777, 0o1777, 0o2755, 0o4711, 0o400, 0);
const fill = fc.constantFrom('x', 'y', 'z');
const owner = fc.constantFrom(0, OWNER.uid, STRANGER.uid, -1);
const xattr = fc.constantFrom('user.one', 'user.two', 'trusted.three');

/** Opens the path, makes the calls with the descriptor, closes it. */
function withFile(where: string, ...calls: readonly Call[]): Call[] {
  return [['open', where, ANY, 0, 'f'], ...calls, ['close', 'f']];
}

const changes: ReadonlyArray<fc.Arbitrary<readonly Call[]>> = [
  fc
    .tuple(path, mode, fc.constantFrom(O_CREAT, O_CREAT | O_EXCL, O_CREAT | O_TRUNC))
    .map(([where, bits, flags]) => [['open', where, flags | ANY, bits]]),
  fc.tuple(path, mode).map(([where, bits]) => [['mkdir', where, bits | 0o300]]),
  fc.tuple(path, fc.constantFrom(...PATHS, '../outside', 'nowhere')).map(([where, target]) => [['symlink', target, where]]),
  fc
    .tuple(path, fc.constantFrom(S_IFBLK, S_IFCHR, S_IFSOCK))
    .map(([where, type]) => [['mknod', where, type | 0o640, MAJOR_WITHOUT_DRIVER, 9]]),
  path.map((where) => [['mkfifo', where, 0o600]]),
  path.map((where) => [['unlink', where]]),
  path.map((where) => [['rmdir', where]]),
  fc.tuple(path, path).map(([from, to]) => [['link', from, to]]),
  fc
    .tuple(path, path, fc.constantFrom(0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE))
    .map(([from, to, flags]) => [['rename', from, to, flags]]),
  fc.tuple(path, mode).map(([where, bits]) => [['chmod', where, bits]]),
  fc.tuple(path, owner, owner).map(([where, uid, gid]) => [['lchown', where, uid, gid]]),
  fc.tuple(path, fc.nat(2_000_000_000), fc.nat(999_999_999)).map(([where, sec, nsec]) => [
    [
      'utimensat',
      where,
      [
        { sec, nsec },
        { sec: sec + 1, nsec },
      ],
      0x100,
    ],
  ]),
  fc
    .tuple(path, xattr, fc.nat(300), fc.constantFrom(0, XATTR_CREATE, XATTR_REPLACE))
    .map(([where, name, size, flags]) => [['setxattr', where, name, 'v'.repeat(size), flags]]),
  fc.tuple(path, xattr).map(([where, name]) => [['removexattr', where, name]]),
];

const contents: ReadonlyArray<fc.Arbitrary<readonly Call[]>> = [
  fc.tuple(path, offset, length, fill).map(([where, at, size, byte]) => withFile(where, ['pwrite', 'f', byte.repeat(size), at])),
  fc.tuple(path, length, fill).map(([where, size, byte]) => [
    ['open', where, ANY | O_CREAT | O_APPEND, 0o644, 'f'],
    ['write', 'f', byte.repeat(size)],
    ['close', 'f'],
  ]),
  fc.tuple(path, offset).map(([where, size]) => [['truncate', where, size]]),
  fc
    .tuple(path, offset, length, fc.constantFrom(0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE))
    .map(([where, at, size, flags]) => withFile(where, ['fallocate', 'f', flags, at, size + 1])),
  fc.tuple(path, path, offset, offset, length).map(([from, to, at, toAt, size]) => [
    ['open', from, ANY, 0, 'f'],
    ['open', to, ANY, 0, 'g'],
    ['copyFileRange', 'f', at, 'g', toAt, size],
    ['close', 'f'],
    ['close', 'g'],
  ]),
];

const openFiles: ReadonlyArray<fc.Arbitrary<readonly Call[]>> = [
  fc.tuple(slot, path, fc.constantFrom(O_RDONLY | O_NONBLOCK, ANY, ANY | O_CREAT)).map(([into, where, flags]) => [
    ['close', into],
    ['open', where, flags, 0o666, into],
  ]),
  slot.map((which) => [['close', which]]),
  fc.tuple(slot, offset, length).map(([which, at, size]) => [['pread', which, size, at]]),
  fc.tuple(slot, offset, length, fill).map(([which, at, size, byte]) => [['pwrite', which, byte.repeat(size), at]]),
  fc.tuple(slot, offset).map(([which, size]) => [['ftruncate', which, size]]),
  fc.tuple(slot, mode).map(([which, bits]) => [['fchmod', which, bits]]),
  slot.map((which) => [['fsync', which]]),
];

/** Sometimes by a user without privileges. */
const calls: fc.Arbitrary<readonly Call[]> = fc
  .tuple(
    fc.oneof({ arbitrary: fc.constant(ROOT), weight: 4 }, { arbitrary: fc.constant(OWNER), weight: 1 }),
    fc.oneof(...changes, ...contents, ...openFiles),
  )
  .map(([user, made]) => (user === ROOT ? made : [['become', user], ...made, ['become', ROOT]]));

/** `special`: what the file system under test can do beyond a plain directory. */
export function operations(special: ReadonlyArray<'remount' | 'drop caches'>): fc.Arbitrary<Operation[]> {
  const common: fc.WeightedArbitrary<Operation> = { arbitrary: calls, weight: 100 };
  const rare = special.map((arbitrary): fc.WeightedArbitrary<Operation> => ({ arbitrary: fc.constant(arbitrary), weight: 1 }));
  return fc.array(fc.oneof(common, ...rare), { maxLength: 80, size: 'max' });
}

/** Every slot closed: before a remount. */
export const CLOSE_ALL: readonly Call[] = SLOTS.map((which) => ['close', which]);

/** What every run begins with, so that most operations find something. */
export const BEGINNING: readonly Call[] = [
  ...['a', 'b'].flatMap((where): Call[] => [
    ['mkdir', where, 0o777],
    ['open', `${where}/a`, O_RDWR | O_CREAT, 0o666],
    ['mkdir', `${where}/b`, 0o777],
  ]),
  ['open', 'c', O_RDWR | O_CREAT, 0o666, 'f'],
  ['write', 'f', 'begin'.repeat(BLOCK / 4)],
  ['close', 'f'],
  ['open', 'c', O_RDWR, 0, 'h1'],
];
