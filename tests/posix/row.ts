/**
 * One case of the conformance suite: what is there, who calls what, what comes of it. Written from POSIX.1-2017 and Linux's man pages. Paths
 * are relative to a directory of the case's own, which belongs to root and has mode 0755.
 */
import type { ErrnoName } from '../../src/util/errors.ts';
import type { Capability } from '../support/target.ts';
import type { FileAttributes } from '../support/syscalls/file-attributes.ts';
import type { Long } from '../support/syscalls/libc.ts';
import type { Call } from '../support/syscalls/system-calls.ts';
import type { Credentials } from '../support/users.ts';

export interface Row {
  readonly name: string;
  /** Only for file systems with it. */
  readonly needs?: Capability;
  /** Calls made as root before; all must succeed. */
  readonly setup?: readonly Call[];
  /** Who makes the calls under test; root if absent. */
  readonly as?: Credentials;
  /** 0 if absent. */
  readonly umask?: number;
  /** Calls made by that user before the one under test; all must succeed. */
  readonly steps?: readonly Call[];
  readonly call: Call;
  /** How the call must fail; absent: it must succeed. A failing call must leave the directory as it was. */
  readonly error?: ErrnoName;
  readonly result?: Long;
  /** The bytes (as UTF-8) that the call must give. */
  readonly text?: string;
  /** What the call's other data must contain. */
  readonly data?: unknown;
  /** Which times of which paths move: of `a` (access), `m` (modification), `c` (status change), in that order; the others must stay. */
  readonly times?: Readonly<Record<string, string>>;
  /** What lstat says afterwards. */
  readonly after?: Readonly<Record<string, Partial<FileAttributes> | 'absent'>>;
  /** Contents of files afterwards, as UTF-8. */
  readonly contents?: Readonly<Record<string, string>>;
}

/** Rows about one system call or theme. */
export interface Table {
  readonly name: string;
  readonly rows: readonly Row[];
}
