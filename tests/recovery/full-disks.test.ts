/** Disks that are full: the one with the cache, the one with the store, and both ways back. Nothing that was promised is lost. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, rmdir, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { setXattr } from '../../src/util/xattr.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { mustRun } from '../support/run-program.ts';
import { type MountProcess, TestFileSystem } from './support/mount-process.ts';

const TIMEOUT_MS = 600_000;
const MKFS_OPTIONS = ['--plain', '--data-block-size', '256'];
const MIB = 1024 * 1024;
/** Larger than the reserve that the cache leaves on its disk. */
const CACHE_DISK_MIB = 200;
const STORE_DISK_MIB = 24;
const FILE_BYTES = 2 * MIB;

/** A disk of that size at `path`, gone in the end. */
async function smallDisk(path: string, sizeMib: number): Promise<AsyncDisposable> {
  await mkdir(path, { recursive: true });
  await mustRun('mount', ['-t', 'tmpfs', '-o', `size=${sizeMib}m`, 'small-disk', path]);
  return { [Symbol.asyncDispose]: async () => void (await mustRun('umount', ['-l', path])) };
}

/** Files that were synced, each with a content of its own. */
class SyncedFiles {
  readonly #contents = new Map<string, Buffer>();

  get count(): number {
    return this.#contents.size;
  }

  /** Writes until something fails, at most `limit`. Returns the error's code. `mayStay`: what was written in part cannot be removed. */
  async write(mountpoint: string, limit: number, mayStay = false): Promise<string | undefined> {
    for (let file = 0; file < limit; file += 1) {
      const name = `file-${this.#contents.size}`;
      const content = randomBytes(FILE_BYTES);
      try {
        await using handle = await open(join(mountpoint, name), 'w');
        for (let at = 0; at < content.length;) at += (await handle.write(content, at, content.length - at)).bytesWritten;
        await handle.sync();
      } catch (error) {
        await rm(join(mountpoint, name), { force: true }).catch((failure: unknown) => {
          if (!mayStay || !isNoSpace(failure)) throw failure;
        });
        return (error as NodeJS.ErrnoException).code;
      }
      this.#contents.set(name, content);
    }
    return undefined;
  }

  /** The file's path; it is nobody's any more. */
  forget(name: string, mountpoint: string): string {
    this.#contents.delete(name);
    return join(mountpoint, name);
  }

  /** Names of those that are not as they should be. */
  async broken(mountpoint: string): Promise<string[]> {
    const problems: string[] = [];
    for (const [name, content] of this.#contents) {
      const found = await readFile(join(mountpoint, name)).catch((error: unknown) => String(error));
      if (typeof found === 'string') problems.push(`${name}: ${found}`);
      else if (!found.equals(content)) problems.push(`${name} is not what was written`);
    }
    return problems;
  }
}

async function succeed(machine: MountProcess, work: Promise<{ exitCode: number; message?: string }>): Promise<void> {
  const { exitCode, message } = await work;
  if (exitCode !== 0) throw new Error(`exit ${exitCode}: ${message}\n${machine.log.join('\n')}`);
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r');
  await directory.sync();
}

function isNoSpace(error: unknown): boolean {
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return true;
  throw error;
}

/** Takes all that is free on a disk. Returns the file that has it. */
async function fill(directory: string): Promise<string> {
  const path = join(directory, 'ballast');
  await using file = await open(path, 'w');
  // The last pages, too.
  for (const chunk of [Buffer.alloc(MIB), Buffer.alloc(4096)]) {
    let isFull = false;
    while (!isFull) isFull = await file.write(chunk).then(() => false, isNoSpace);
  }
  return path;
}

/** Mounts a new file system that stores nothing: all must stay in the cache. */
async function mountWithoutStore(machine: MountProcess): Promise<void> {
  await succeed(machine, machine.mkfs());
  await succeed(machine, machine.mount({ argv: ['--full-cache', 'fail', '--cachesize', String(CACHE_DISK_MIB * 1024)] }));
  await machine.fail(1, { kind: 'fail' }, 100_000_000);
}

test(
  'a full cache disk is ENOSPC for writers, before anything is lost, and no more when there is room',
  { timeout: TIMEOUT_MS },
  async () => {
    await using fileSystem = await TestFileSystem.create(MKFS_OPTIONS);
    const cache = join(fileSystem.directory, 'cache');
    await using _disk = await smallDisk(cache, CACHE_DISK_MIB);
    await using machine = fileSystem.start('cache');
    const { mountpoint, storeDirectory } = fileSystem;
    await mountWithoutStore(machine);
    const files = new SyncedFiles();
    expect(await files.write(mountpoint, CACHE_DISK_MIB)).toBe('ENOSPC');
    expect(files.count).toBeGreaterThan(5);
    expect(await files.broken(mountpoint)).toEqual([]);
    // The disk gets really full, by somebody else; then all is well again.
    const ballast = await fill(cache);
    expect(await files.write(mountpoint, 1, true)).toBe('ENOSPC');
    await rm(ballast);
    await machine.fail(100_000_000, { kind: 'fail' });
    // Done when disk and store have been asked again, as happens by itself some time later.
    await syncDirectory(mountpoint);
    await setXattr(join(mountpoint, '.__s3ql__ctrl__'), 's3ql_flushcache!', Buffer.from('dummy'));
    expect(await files.write(mountpoint, 2)).toBeUndefined();
    expect(await files.broken(mountpoint)).toEqual([]);
    await succeed(machine, machine.unmount());
    expect(await brokenInvariants({ storeDirectory, allowUnknownObjects: true })).toEqual([]);
    // Mounting needs some room, and says so.
    const full = await fill(cache);
    expect(await machine.mount()).not.toMatchObject({ exitCode: 0 });
    await rm(full);
    await succeed(machine, machine.mount());
    expect(await files.broken(mountpoint)).toEqual([]);
    await succeed(machine, machine.unmount());
  },
);

test(
  'on a cache disk that others have filled files can be deleted, emptied and renamed, which makes room, and all that was promised stays',
  { timeout: TIMEOUT_MS },
  async () => {
    await using fileSystem = await TestFileSystem.create(MKFS_OPTIONS);
    const cache = join(fileSystem.directory, 'cache');
    await using _disk = await smallDisk(cache, CACHE_DISK_MIB);
    await using machine = fileSystem.start('cache');
    const { mountpoint, storeDirectory } = fileSystem;
    const at = (name: string): string => join(mountpoint, name);
    await mountWithoutStore(machine);
    await mkdir(at('directory'));
    const files = new SyncedFiles();
    expect(await files.write(mountpoint, 6)).toBeUndefined();
    const ballast = await fill(cache);
    // What is set aside for commits is for those that make room: sooner or later there are no others.
    let made = 0;
    const refused = machine.logged('files can be deleted');
    for (let full = false; !full; made += 1) {
      full = await writeFile(at(`directory/${made}`), '').then(() => false, isNoSpace);
      if (!full) await syncDirectory(mountpoint);
    }
    await refused;
    await expect(mkdir(at('another'))).rejects.toMatchObject({ code: 'ENOSPC' });
    await expect(setXattr(at('file-0'), 'user.name', Buffer.from('value'))).rejects.toMatchObject({ code: 'ENOSPC' });
    // Some hundred changes of that kind, each durable.
    for (let name = 0; name < made - 1; name += 1) {
      await rename(at(`directory/${name}`), at(`directory/renamed-${name}`));
      await unlink(at(`directory/renamed-${name}`));
      await syncDirectory(mountpoint);
    }
    await rmdir(at('directory'));
    expect(await files.broken(mountpoint)).toEqual([]);
    // What is deleted makes room enough for everything.
    const again = machine.logged('changes are taken');
    await truncate(files.forget('file-0', mountpoint));
    await unlink(files.forget('file-1', mountpoint));
    await syncDirectory(mountpoint);
    await again;
    await mkdir(at('another'));
    await syncDirectory(mountpoint);
    // Nor is anything lost if it dies like that.
    await machine.kill();
    await mustRun('umount', ['-l', mountpoint]);
    await rm(ballast);
    await using next = fileSystem.start('cache');
    await succeed(next, next.mount());
    expect(await files.broken(mountpoint)).toEqual([]);
    expect(await readdir(mountpoint)).toEqual(expect.arrayContaining(['another', 'file-0', 'file-2']));
    expect(await readdir(mountpoint)).not.toContain('file-1');
    await succeed(next, next.unmount());
    expect(await brokenInvariants({ storeDirectory, allowUnknownObjects: true })).toEqual([]);
  },
);

test('a full store keeps what does not fit on this machine, and gets it when there is room', { timeout: TIMEOUT_MS }, async () => {
  await using fileSystem = await TestFileSystem.create(MKFS_OPTIONS);
  const { mountpoint, storeDirectory } = fileSystem;
  await using _disk = await smallDisk(storeDirectory, STORE_DISK_MIB);
  await using machine = fileSystem.start();
  await succeed(machine, machine.mkfs());
  await succeed(machine, machine.mount({ argv: ['--cachesize', '200000', '--dirty-block-upload-delay', '1'] }));
  const files = new SyncedFiles();
  // More than the store has room for.
  expect(await files.write(mountpoint, STORE_DISK_MIB)).toBeUndefined();
  expect(await files.broken(mountpoint)).toEqual([]);
  // All cannot be stored: it is said, and kept.
  expect(await machine.unmount()).toMatchObject({ exitCode: 1 });
  await mustRun('mount', ['-o', `remount,size=${4 * STORE_DISK_MIB}m`, storeDirectory]);
  await succeed(machine, machine.mount());
  expect(await files.broken(mountpoint)).toEqual([]);
  await succeed(machine, machine.unmount());
  expect(await brokenInvariants({ storeDirectory, allowUnknownObjects: true })).toEqual([]);
});
