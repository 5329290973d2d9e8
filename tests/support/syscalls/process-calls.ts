/**
 * Who the calling thread is, and its clock. Credentials are set by raw system calls, which on Linux change the calling thread alone: Node's
 * other threads stay root. The saved user id stays 0, so the thread can become root again; its effective capabilities are empty meanwhile.
 */
import { type Pointer, libc } from './libc.ts';
import { type Outcome, outcome } from './outcome.ts';
import type { Credentials } from '../users.ts';

/** setgroups, setresuid, setresgid. Source: arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h. */
const NUMBERS: Readonly<Record<string, { setgroups: number; setresuid: number; setresgid: number }>> = {
  x64: { setgroups: 116, setresuid: 117, setresgid: 119 },
  arm64: { setgroups: 159, setresuid: 147, setresgid: 149 },
};

const CLOCK_REALTIME = 0;
const CLOCK_REALTIME_COARSE = 5;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));

export const processCalls = {
  become(user: Credentials): Outcome {
    const numbers = NUMBERS[process.arch];
    if (numbers === undefined) throw new Error(`no system call numbers for ${process.arch}`);
    must(libc.syscall(numbers.setresuid, 0, address(0), 0));
    must(libc.syscall(numbers.setgroups, user.groups.length, Buffer.from(Uint32Array.from(user.groups).buffer), 0));
    must(libc.syscall(numbers.setresgid, user.gid, address(user.gid), user.gid));
    must(libc.syscall(numbers.setresuid, user.uid, address(user.uid), 0));
    return { result: 0 };
  },
  /** For good: there is no way out. The working directory becomes its root. */
  chroot(path: string): Outcome {
    const changed = outcome(libc.chroot(Buffer.from(`${path}\0`)));
    if (changed.error === undefined) process.chdir('/');
    return changed;
  },
  umask(mask: number): Outcome {
    return { result: libc.umask(mask) };
  },
  /**
   * Returns when the coarse clock that the kernel stamps files with (it moves every scheduler tick) has passed the present: what changes from
   * now on has later times than what changed before.
   */
  tick(): Outcome {
    const start = now(CLOCK_REALTIME);
    while (now(CLOCK_REALTIME_COARSE) <= start) Atomics.wait(PAUSE, 0, 0, 1);
    return { result: 0 };
  },
};

function now(clock: number): bigint {
  const buffer = Buffer.alloc(16);
  libc.clock_gettime(clock, buffer);
  return buffer.readBigInt64LE(0) * 1_000_000_000n + buffer.readBigInt64LE(8);
}

/** A number in an argument whose C type here is a pointer. */
function address(value: number): Pointer {
  return value === 0 ? null : BigInt(value);
}

function must(result: number | bigint): void {
  const { error } = outcome(result);
  if (error !== undefined) throw new Error(`changing credentials: ${error}`);
}
