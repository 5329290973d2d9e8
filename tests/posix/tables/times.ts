/** utimensat(2), futimens(3), and which of a file's three times each operation moves. */
import { AT_SYMLINK_NOFOLLOW, O_NOATIME, O_RDONLY, O_RDWR } from '../../support/syscalls/constants.ts';
import type { TimeArgument } from '../../support/syscalls/arguments.ts';
import { MEMBER, OWNER, STRANGER } from '../../support/users.ts';
import { FILE_TYPES, make } from '../objects.ts';
import type { Row, Table } from '../row.ts';

const SECOND = 1_000_000_000n;

/** Before and after 1970, nanoseconds, and the first seconds that 32 bits do not hold. */
const INSTANTS: ReadonlyArray<{ readonly sec: bigint; readonly nsec: number }> = [
  { sec: 0n, nsec: 0 },
  { sec: 0n, nsec: 1 },
  { sec: 1n, nsec: 999_999_999 },
  { sec: -1n, nsec: 0 },
  { sec: -1n, nsec: 500_000_000 },
  { sec: -315_619_200n, nsec: 123_456_789 },
  { sec: 1_500_000_000n, nsec: 987_654_321 },
  { sec: 2_147_483_647n, nsec: 999_999_999 },
  { sec: 2_147_483_648n, nsec: 0 },
  { sec: 4_294_967_296n, nsec: 7 },
  { sec: 9_000_000_000n, nsec: 123 },
];

function inNs({ sec, nsec }: { readonly sec: bigint; readonly nsec: number }): bigint {
  return sec * SECOND + BigInt(nsec);
}

const instants: Row[] = FILE_TYPES.flatMap((type) =>
  INSTANTS.map((instant, index) => {
    const mtime = INSTANTS[INSTANTS.length - 1 - index] as (typeof INSTANTS)[number];
    return {
      name: `a ${type} keeps ${instant.sec} s and ${instant.nsec} ns`,
      setup: make(type, 'x'),
      call: ['utimensat', 'x', [instant, mtime], AT_SYMLINK_NOFOLLOW],
      after: { x: { atimeNs: inNs(instant), mtimeNs: inNs(mtime) } },
    };
  }),
);

/** The last nanosecond of 63 bits: 2262-04-11. */
const LAST_NS = (1n << 63n) - 1n;
/** After 2262, and the last second that ext4 keeps. */
const FAR_FUTURE = [9_223_372_037n, 13_569_465_600n, 15_032_385_535n];

const farFuture: Row[] = FAR_FUTURE.flatMap((sec): Row[] => {
  const setup = make('file', 'x');
  const call = [
    'utimensat',
    'x',
    [
      { sec, nsec: 0 },
      { sec, nsec: 0 },
    ],
  ] as const;
  return [
    { name: `${sec} s are kept`, needs: 'times-to-2446', setup, call, after: { x: { atimeNs: sec * SECOND, mtimeNs: sec * SECOND } } },
    {
      name: `${sec} s become the last moment that can be kept`,
      needs: 'times-to-2262',
      setup,
      call,
      after: { x: { atimeNs: LAST_NS, mtimeNs: LAST_NS } },
    },
  ];
});

const A: TimeArgument = { sec: 1000, nsec: 1 };
const M: TimeArgument = { sec: 2000, nsec: 2 };
const OLD: readonly [TimeArgument, TimeArgument] = [A, M];

const choices: Row[] = FILE_TYPES.flatMap((type): Row[] => {
  const setup = [...make(type, 'x'), ['utimensat', 'x', OLD, AT_SYMLINK_NOFOLLOW] as const];
  const set = { sec: 3000, nsec: 3 } as const;
  return [
    { name: `omit and set on a ${type}`, setup, call: ['utimensat', 'x', ['omit', set], AT_SYMLINK_NOFOLLOW], times: { x: 'mc', '.': '' } },
    { name: `set and omit on a ${type}`, setup, call: ['utimensat', 'x', [set, 'omit'], AT_SYMLINK_NOFOLLOW], times: { x: 'ac' } },
    { name: `omit both on a ${type}`, setup, call: ['utimensat', 'x', ['omit', 'omit'], AT_SYMLINK_NOFOLLOW], times: { x: '' } },
    { name: `now and omit on a ${type}`, setup, call: ['utimensat', 'x', ['now', 'omit'], AT_SYMLINK_NOFOLLOW], times: { x: 'ac' } },
    { name: `omit and now on a ${type}`, setup, call: ['utimensat', 'x', ['omit', 'now'], AT_SYMLINK_NOFOLLOW], times: { x: 'mc' } },
    { name: `NULL on a ${type}`, setup, call: ['utimensat', 'x', null, AT_SYMLINK_NOFOLLOW], times: { x: 'amc' } },
    { name: `the same times on a ${type} move only ctime`, setup, call: ['utimensat', 'x', OLD, AT_SYMLINK_NOFOLLOW], times: { x: 'c' } },
  ];
});

/** Who may: explicit times are the owner's; "now" is also for those who may write. */
const PEOPLE = [
  { who: 'the owner', user: OWNER, mode: 0, explicit: undefined, now: undefined },
  { who: 'a stranger who may write', user: STRANGER, mode: 0o666, explicit: 'EPERM', now: undefined },
  { who: 'a stranger who may not write', user: STRANGER, mode: 0o644, explicit: 'EPERM', now: 'EACCES' },
  { who: 'a member who may write', user: MEMBER, mode: 0o664, explicit: 'EPERM', now: undefined },
  { who: 'a member who may not write', user: MEMBER, mode: 0o606, explicit: 'EPERM', now: 'EACCES' },
] as const;

const permissions: Row[] = PEOPLE.flatMap(({ who, user, mode, explicit, now }) =>
  (['file', 'directory', 'fifo', 'socket'] as const).flatMap((type): Row[] => {
    const setup = make(type, 'x', { owner: OWNER, mode });
    const row = (what: string, times: readonly [TimeArgument, TimeArgument] | null, error: 'EPERM' | 'EACCES' | undefined): Row => ({
      name: `${who} sets ${what} on a ${type}`,
      setup,
      as: user,
      call: ['utimensat', 'x', times],
      ...(error === undefined ? {} : { error, times: { x: '' } }),
    });
    return [
      row('NULL', null, now),
      row('now', ['now', 'now'], now),
      row('both times', [A, M], explicit),
      row('atime', [A, 'omit'], explicit),
      row('mtime', ['omit', M], explicit),
      row('now and a time', ['now', M], explicit),
      row('now and omit', ['now', 'omit'], explicit),
      row('nothing', ['omit', 'omit'], undefined),
    ];
  }),
);

const invalid: Row[] = [
  ...[1_000_000_000, -1, 2_000_000_000].map((nsec): Row => ({
    name: `${nsec} nanoseconds are EINVAL`,
    setup: make('file', 'x'),
    call: ['utimensat', 'x', [{ sec: 1, nsec }, M]],
    error: 'EINVAL',
    times: { x: '' },
  })),
  { name: 'an unknown flag is EINVAL', setup: make('file', 'x'), call: ['utimensat', 'x', OLD, 0x40], error: 'EINVAL' },
  {
    name: 'a link is followed',
    setup: [...make('file', 'x'), ['symlink', 'x', 'l']],
    call: ['utimensat', 'l', OLD],
    after: { x: { atimeNs: 1000n * SECOND + 1n } },
    times: { x: 'amc' },
  },
  {
    name: 'a link is not followed with NOFOLLOW',
    setup: [...make('file', 'x'), ['symlink', 'x', 'l']],
    call: ['utimensat', 'l', OLD, AT_SYMLINK_NOFOLLOW],
    after: { l: { mtimeNs: 2000n * SECOND + 2n } },
    times: { x: '' },
  },
  {
    name: 'futimens sets the times of an open file',
    setup: make('file', 'x'),
    steps: [['open', 'x', O_RDONLY, 0, 'x']],
    call: ['futimens', 'x', OLD],
    after: { x: { atimeNs: 1000n * SECOND + 1n, mtimeNs: 2000n * SECOND + 2n } },
  },
  {
    name: 'futimens of an unlinked file works',
    setup: make('file', 'x'),
    steps: [
      ['open', 'x', O_RDONLY, 0, 'x'],
      ['unlink', 'x'],
    ],
    call: ['futimens', 'x', OLD],
  },
  { name: 'futimens of a bad descriptor is EBADF', call: ['futimens', 'none', OLD], error: 'EBADF' },
];

/** relatime: a read moves atime if it is not newer than mtime or ctime. */
const access: Row[] = [
  {
    name: 'a first read moves atime',
    setup: make('file', 'x', { content: 'hello' }),
    steps: [['open', 'x', O_RDONLY, 0, 'x']],
    call: ['read', 'x', 5],
    times: { x: 'a' },
  },
  {
    name: 'a second read does not',
    setup: make('file', 'x', { content: 'hello' }),
    steps: [['tick'], ['open', 'x', O_RDONLY, 0, 'x'], ['read', 'x', 5]],
    call: ['pread', 'x', 5, 0],
    times: { x: '' },
  },
  {
    needs: 'atime-of-cached-reads',
    name: 'a read after another write moves atime again',
    setup: make('file', 'x', { content: 'hello' }),
    steps: [['tick'], ['open', 'x', O_RDWR, 0, 'x'], ['read', 'x', 5], ['tick'], ['pwrite', 'x', 'J', 0]],
    call: ['pread', 'x', 5, 0],
    times: { x: 'a' },
  },
  {
    name: 'a read after another write and a new open moves atime again',
    setup: make('file', 'x', { content: 'hello' }),
    steps: [
      ['tick'],
      ['open', 'x', O_RDWR, 0, 'x'],
      ['read', 'x', 5],
      ['tick'],
      ['pwrite', 'x', 'J', 0],
      ['close', 'x'],
      ['open', 'x', O_RDONLY, 0, 'x'],
    ],
    call: ['pread', 'x', 5, 0],
    times: { x: 'a' },
  },
  {
    name: 'O_NOATIME leaves atime',
    setup: make('file', 'x', { content: 'hello' }),
    steps: [['open', 'x', O_RDONLY | O_NOATIME, 0, 'x']],
    call: ['read', 'x', 5],
    times: { x: '' },
  },
  {
    name: 'an atime more than a day old moves',
    setup: [
      ...make('file', 'x', { content: 'hello' }),
      [
        'utimensat',
        'x',
        [
          { sec: 5000, nsec: 0 },
          { sec: 1000, nsec: 0 },
        ],
      ],
    ],
    steps: [['open', 'x', O_RDONLY, 0, 'x']],
    call: ['read', 'x', 5],
    times: { x: 'a' },
  },
  {
    name: 'listing a directory moves its atime',
    setup: [...make('directory', 'd'), ...make('file', 'd/x')],
    steps: [['open', 'd', O_RDONLY, 0, 'd']],
    call: ['listDirectory', 'd'],
    times: { d: 'a' },
  },
  { name: 'readlink moves the atime of the link', setup: make('symlink', 'l'), call: ['readlink', 'l'], times: { l: 'a' } },
  { name: 'stat moves nothing', setup: make('file', 'x', { content: 'hello' }), call: ['stat', 'x'], times: { x: '', '.': '' } },
  {
    name: 'open and close move nothing',
    setup: make('file', 'x', { content: 'hello' }),
    call: ['open', 'x', O_RDWR],
    times: { x: '', '.': '' },
  },
  {
    name: 'a read of nothing at the end moves nothing',
    setup: make('file', 'x'),
    steps: [['open', 'x', O_RDONLY, 0, 'x']],
    call: ['read', 'x', 0],
    times: { x: '' },
  },
];

const created: Row[] = FILE_TYPES.map((type) => ({
  name: `a new ${type} does not move later by itself`,
  setup: make(type, 'x'),
  call: ['lstat', 'x'],
  times: { x: '', '.': '' },
}));

export const timeTable: Table = {
  name: 'times',
  rows: [...instants, ...farFuture, ...choices, ...permissions, ...invalid, ...access, ...created],
};
