/**
 * A directory to test: a plain one proves that a test is right, one in a mount is tested by it. A test asks for what only some file systems
 * have by capability; what it does not have is not run on it.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Capability =
  /** Device nodes can be opened (no nodev). */
  | 'devices'
  /** Collapse and insert range at multiples of 128 KiB. FUSE has no request for them. */
  | 'shift-range'
  /** Extended attributes of 64 KiB. */
  | 'large-xattrs'
  /** Files of 2^63-1 bytes. */
  | 'huge-files'
  /** A read that the kernel serves from its cache moves atime too. FUSE does not tell the file system of those. */
  | 'atime-of-cached-reads'
  /** Times up to the year 2446, as ext4 with large inodes. */
  | 'times-to-2446'
  /** Times to 2262 and no further: 63 bits of nanoseconds. */
  | 'times-to-2262';

export interface Target extends AsyncDisposable {
  readonly name: string;
  /** A directory of mode 0755 that belongs to root. */
  readonly path: string;
  readonly capabilities: ReadonlySet<Capability>;
  /** Unmounts and mounts again. Nothing may be open. */
  remount?(): Promise<void>;
  /** Empties the file system's own cache, so that data comes from the store. */
  dropCaches?(): Promise<void>;
  /** What contradicts itself in the store, one line each. Unmounts for that and mounts again: nothing may be open. */
  brokenInvariants?(): Promise<string[]>;
}

/** A temporary directory of the file system that holds os.tmpdir(). */
export async function plainTarget(): Promise<Target> {
  const path = await mkdtemp(join(tmpdir(), 's3ql-plain-'));
  await chmod(path, 0o755);
  return {
    name: 'a plain directory',
    path,
    capabilities: new Set<Capability>(['devices', 'shift-range', 'atime-of-cached-reads', 'times-to-2446']),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
