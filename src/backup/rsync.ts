/** Runs the system's rsync(1): its progress, its complaints, and what its exit code means for a copy. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { UserError } from '../util/errors.ts';
import { logger } from '../util/log.ts';

export interface RsyncOptions {
  readonly signal: AbortSignal;
  /** A descriptor that lives as long as rsync does. */
  readonly inheritedFd?: number;
  /** Bytes transferred so far. */
  readonly onProgress?: (bytesDone: number) => void;
}

/** How a run ended that can be gone on with. */
export interface RsyncResult {
  /** 0; 23: some files could not be copied; 24: some vanished meanwhile, which is no fault of the copy. */
  readonly exitCode: number;
  /** Its last complaint; empty if there was none. */
  readonly complaint: string;
}

/** rsync(1), EXIT VALUES. */
export const RSYNC_PARTIAL = 23;
export const RSYNC_VANISHED = 24;

/** As `--info=progress2` has it: `  1,234,567  12%    1.20MB/s    0:00:01 (xfr#1, to-chk=0/5)`. */
const PROGRESS_LINE = /^\s*([\d,]+)\s+\d+%/;
/** What it says at the end in any case of failure. */
const SUMMARY_LINE = /^rsync (?:error|warning): /;

const log = logger('rsync');

/** @throws UserError if rsync cannot be run or fails in any other way than RsyncResult allows; whatever the signal aborts with */
export async function runRsync(args: readonly string[], { signal, inheritedFd, onProgress }: RsyncOptions): Promise<RsyncResult> {
  signal.throwIfAborted();
  const child = spawn('rsync', ['--info=progress2', '--outbuf=L', ...args], {
    stdio: ['ignore', 'pipe', 'pipe', inheritedFd ?? 'ignore'],
  }) as ChildProcessByStdio<null, Readable, Readable>;
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop);
  // A remote shell that rsync started may outlive it, with rsync's standard error open: it is not waited for.
  child.once('exit', () => {
    if (!signal.aborted) return;
    child.stdout.destroy();
    child.stderr.destroy();
  });
  let complaint = '';
  let summary = '';
  // readline takes the carriage returns between figures for ends of lines.
  createInterface({ input: child.stdout }).on('line', (line) => {
    const figure = PROGRESS_LINE.exec(line)?.[1];
    if (figure !== undefined) onProgress?.(Number(figure.replaceAll(',', '')));
  });
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (SUMMARY_LINE.test(line)) summary = line;
    else if (line.trim() !== '') {
      complaint = line.trim();
      log.warn('%s', complaint);
    }
  });
  try {
    const [exitCode] = (await once(child, 'close')) as [number | null];
    signal.throwIfAborted();
    if (exitCode === 0 || exitCode === RSYNC_PARTIAL || exitCode === RSYNC_VANISHED) return { exitCode, complaint: complaint || summary };
    throw new UserError(`rsync failed (${exitCode === null ? 'killed' : `exit code ${exitCode}`}): ${complaint || summary}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new UserError('rsync is not installed: install the package rsync', 1, { cause: error });
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
