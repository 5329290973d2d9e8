/** How fast programs can write into a mount: into the cache, that is; nothing is uploaded meanwhile. A small file system is made for that. */
import { execFile } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { workerUrl } from '../../util/worker-url.ts';

export interface MountRate {
  /** Bytes per write(2). */
  readonly writeBytes: number;
  readonly bytesPerSecond: number;
}

const WRITE_BYTES = [4 * 1024, 16 * 1024, 128 * 1024];
/** No more than this is written with one size. */
const MAXIMUM_BYTES = 256 * 1024 * 1024;
/** Nothing else runs in this process for that long: the file system has a process of its own. */
const BURST_BYTES = 1024 * 1024;
/** Seconds; longer than any of this takes. */
const UPLOAD_DELAY = '3600';

const MAIN = fileURLToPath(workerUrl('./../../main.ts', import.meta.url));
const run = promisify(execFile);

/** @throws Error whose message says why nothing could be mounted */
export async function measureMount(cachedir: string, timeMs: number, signal: AbortSignal): Promise<MountRate[]> {
  const directory = await mkdtemp(join(cachedir, 'benchmark-'));
  const [store, mountpoint, cache] = ['store', 'mnt', 'cache'].map((name) => join(directory, name)) as [string, string, string];
  const common = ['--quiet', '--cachedir', cache, '--authfile', join(directory, 'authinfo2')];
  const url = `local://${store}`;
  let mounted = false;
  try {
    for (const path of [store, mountpoint, cache]) await mkdir(path);
    await command('mkfs.s3ql', ...common, '--plain', url);
    await command(
      'mount.s3ql',
      ...common,
      '--compress',
      'none',
      '--dirty-block-upload-delay',
      UPLOAD_DELAY,
      '--log',
      join(directory, 'log'),
      url,
      mountpoint,
    );
    mounted = true;
    const rates: MountRate[] = [];
    for (const writeBytes of WRITE_BYTES) {
      rates.push({ writeBytes, bytesPerSecond: await measureWrites(join(mountpoint, `file-${writeBytes}`), writeBytes, timeMs, signal) });
    }
    return rates;
  } finally {
    if (mounted) await command('umount.s3ql', '--quiet', mountpoint);
    await rm(directory, { recursive: true });
  }
}

async function measureWrites(path: string, writeBytes: number, timeMs: number, signal: AbortSignal): Promise<number> {
  const data = randomFillSync(Buffer.alloc(writeBytes));
  const fd = openSync(path, 'w');
  try {
    let written = 0;
    const startMs = performance.now();
    while (performance.now() - startMs < timeMs && written < MAXIMUM_BYTES) {
      signal.throwIfAborted();
      for (const end = written + BURST_BYTES; written < end;) written += writeSync(fd, data);
      await setImmediate();
    }
    return written / ((performance.now() - startMs) / 1000);
  } finally {
    closeSync(fd);
    // Else all of it would be stored in the end.
    unlinkSync(path);
  }
}

async function command(program: string, ...args: readonly string[]): Promise<void> {
  try {
    await run(process.execPath, [MAIN, program, ...args]);
  } catch (error) {
    const { stderr = '', message } = error as Error & { readonly stderr?: string };
    throw new Error(stderr.trim().replace(/^error: /, '') || message, { cause: error });
  }
}
