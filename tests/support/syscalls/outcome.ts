/** What a system call gave: its result, or the name of its errno. */
import { constants } from 'node:os';
import { lastErrno, type Long } from './libc.ts';
import type { ErrnoName } from '../../../src/util/errors.ts';

export interface Outcome<Data = unknown> {
  /** -1 if the call failed. */
  readonly result: Long;
  readonly error?: ErrnoName;
  /** What the call wrote for its caller: bytes, attributes, entries. */
  readonly data?: Data;
}

const ERRNO_NAMES: ReadonlyMap<number, ErrnoName> = new Map(
  // EWOULDBLOCK is EAGAIN, EOPNOTSUPP is ENOTSUP: one name each.
  (Object.entries(constants.errno) as Array<[ErrnoName, number]>)
    .filter(([name]) => name !== 'EWOULDBLOCK' && name !== 'ENOTSUP')
    .map(([name, errno]) => [errno, name]),
);

export function errnoName(errno: number): ErrnoName {
  const name = ERRNO_NAMES.get(errno);
  if (name === undefined) throw new Error(`errno ${errno} has no name`);
  return name;
}

/** Judges the result of a call that returns -1 on failure. Must follow the call at once: errno is the thread's last. */
export function outcome<Data>(result: Long, data?: () => Data): Outcome<Data> {
  if (result === -1 || result === -1n) return { result: -1, error: errnoName(lastErrno()) };
  return data === undefined ? { result } : { result, data: data() };
}
