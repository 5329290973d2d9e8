/** CPU time and memory of processes, from /proc. */
import { readFileSync, writeFileSync } from 'node:fs';

/** Of /proc/PID/stat: USER_HZ, which Linux has fixed at 100 for all that user space sees. */
const TICKS_PER_SECOND = 100;
/** Fields of /proc/PID/stat behind the process's name: utime and stime (proc(5), 14 and 15). */
const UTIME_FIELD = 11;
const STIME_FIELD = 12;
/** Written to clear_refs: the peak begins anew. */
const RESET_PEAK = '5';

export class DaemonUsage {
  readonly #pids: readonly number[];
  readonly #startSeconds: number;

  /** Measures from now on. */
  constructor(pids: readonly number[]) {
    this.#pids = pids;
    for (const pid of pids) {
      try {
        writeFileSync(`/proc/${pid}/clear_refs`, RESET_PEAK);
      } catch {
        // Not ours to reset: the peak is that of its whole life.
      }
    }
    this.#startSeconds = sum(pids, cpuSeconds);
  }

  get cpuSeconds(): number {
    return Math.max(0, sum(this.#pids, cpuSeconds) - this.#startSeconds);
  }

  get peakBytes(): number {
    return sum(this.#pids, peakBytes);
  }
}

/** Resident memory of a process now. */
export function residentBytes(pid: number): number {
  return statusBytes(pid, 'VmRSS');
}

function peakBytes(pid: number): number {
  return statusBytes(pid, 'VmHWM');
}

function statusBytes(pid: number, field: string): number {
  try {
    const line = readFileSync(`/proc/${pid}/status`, 'latin1')
      .split('\n')
      .find((text) => text.startsWith(`${field}:`));
    return Number(line?.split(/\s+/)[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[UTIME_FIELD]) + Number(fields[STIME_FIELD])) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

function sum(pids: readonly number[], of: (pid: number) => number): number {
  return pids.reduce((total, pid) => total + of(pid), 0);
}
