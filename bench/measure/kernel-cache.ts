/** The kernel's caches: emptied, so that what is measured is the file system and not the page cache. */
import { writeFile } from 'node:fs/promises';
import type { Target } from '../targets/target.ts';
import { mustRun } from '../../tests/support/run-program.ts';

const SYNC_TIMEOUT_MS = 600_000;

/**
 * Empties page cache, dentries and inodes of the whole machine; where that is not allowed mounts the target anew, which forgets its own.
 * @throws if neither is possible
 */
export async function dropKernelCaches(target: Pick<Target, 'directory' | 'remount'>): Promise<void> {
  // What is dirty would stay.
  if (target.directory !== undefined) await settleDisk(target.directory);
  try {
    await writeFile('/proc/sys/vm/drop_caches', '3');
  } catch (error) {
    if (target.remount === undefined) throw error;
    await target.remount();
  }
}

/** Writes what is dirty on the directory's disk, so that one workload does not pay for another. */
export async function settleDisk(directory: string): Promise<void> {
  await mustRun('sync', ['-f', directory], { timeoutMs: SYNC_TIMEOUT_MS });
}
