/**
 * `s3ql get`: copies trees from the file system to this machine: contents with their holes, links, devices, modes, times, extended attributes,
 * and owners as far as the user may set them.
 *
 * A file gets its name when it is complete, in the place of what was there; so an interrupted copy leaves whole files only. Nothing is written
 * through symbolic links that are found at the target.
 */
import { constants, type BigIntStats } from 'node:fs';
import { chmod, lchown, link, lstat, mkdir, open, rename, rm, symlink } from 'node:fs/promises';
import { isDirectory, isRegularFile, isSymlink, PERMISSION_BITS } from '../../filesystem/file-mode.ts';
import type { FileSystem } from '../../filesystem/file-system.ts';
import type { Inode, InodeId } from '../../metadata/types.ts';
import { FsError } from '../../util/errors.ts';
import { SEEK_DATA, SEEK_HOLE } from '../../util/libc.ts';
import { logger } from '../../util/log.ts';
import { makeNodeSync, setTimesSync, setXattrSync } from '../../util/native-files.ts';
import type { CopyReport } from './copy-report.ts';
import type { FileErrors } from './file-errors.ts';
import { checkDepth, checkName, entriesOf, joinPath } from './paths.ts';
import { shownName } from './shown-name.ts';

const BUFFER_BYTES = 1024 * 1024;

const log = logger('direct');

export interface CopyOutParts {
  readonly fileSystem: FileSystem;
  readonly errors: FileErrors;
  readonly report: CopyReport;
  readonly signal: AbortSignal;
}

export class CopyOut {
  readonly #fileSystem: FileSystem;
  readonly #errors: FileErrors;
  readonly #report: CopyReport;
  readonly #signal: AbortSignal;
  readonly #isRoot = process.geteuid?.() === 0;
  /** Where the first link of a file with several links was copied to. */
  readonly #links = new Map<InodeId, Uint8Array>();
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #temporaryCount = 0;
  #readerCount = 0;
  #refusedXattrs = false;

  constructor({ fileSystem, errors, report, signal }: CopyOutParts) {
    this.#fileSystem = fileSystem;
    this.#errors = errors;
    this.#report = report;
    this.#signal = signal;
  }

  /** Copies the inode, with all below it, to the path. What goes wrong with a file is noted. @throws if interrupted */
  async copy(inode: Inode, target: Uint8Array, depth: number = 0): Promise<void> {
    this.#signal.throwIfAborted();
    try {
      if (isDirectory(inode.mode)) await this.#copyDirectory(inode, target, depth);
      else await this.#copyFile(inode, target);
    } catch (error) {
      this.#errors.add(target, error);
    }
  }

  async #copyEntry(inode: Inode, directory: Uint8Array, name: Uint8Array, depth: number): Promise<void> {
    const path = joinPath(directory, name);
    try {
      checkName(name);
      checkDepth(depth);
    } catch (error) {
      this.#errors.add(path, error);
      return;
    }
    await this.copy(inode, path, depth + 1);
  }

  async #copyDirectory(inode: Inode, target: Uint8Array, depth: number): Promise<void> {
    const existing = await statOf(target);
    if (existing === undefined) await mkdir(Buffer.from(target), { mode: 0o700 });
    else if (!existing.isDirectory()) throw new FsError('ENOTDIR');
    for (const { name, attributes } of entriesOf(this.#fileSystem, inode.id)) await this.#copyEntry(attributes, target, name, depth);
    // Last: adding entries moves times, and the mode may forbid to add any.
    await this.#setAttributes(inode, target);
    this.#report.directory();
  }

  async #copyFile(inode: Inode, target: Uint8Array): Promise<void> {
    if ((await statOf(target))?.isDirectory() === true) throw new FsError('EISDIR');
    const first = this.#links.get(inode.id);
    const temporary = this.#temporaryName(target);
    try {
      if (first !== undefined) await link(Buffer.from(first), temporary);
      else {
        await this.#make(inode, temporary);
        await this.#setAttributes(inode, temporary);
      }
      await rename(temporary, Buffer.from(target));
    } finally {
      // Renaming one link of a file to another leaves both; all else is gone or unfinished.
      await rm(temporary, { force: true });
    }
    if (first === undefined && inode.linkCount > 1) this.#links.set(inode.id, target);
    this.#report.file();
  }

  async #make(inode: Inode, path: Buffer): Promise<void> {
    if (isRegularFile(inode.mode)) await this.#copyContents(inode, path);
    else if (isSymlink(inode.mode)) await symlink(Buffer.from(this.#fileSystem.directories.readSymlink(inode.id)), path);
    else makeNodeSync(path, inode.mode, inode.rdev);
  }

  async #copyContents({ id, size }: Inode, path: Buffer): Promise<void> {
    if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw new FsError('EFBIG');
    this.#readerCount += 1;
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    await using file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    for (let position = 0n; position < size;) {
      const start = this.#nextData(id, position);
      if (start === undefined) break;
      const end = this.#fileSystem.files.seek(id, start, SEEK_HOLE);
      for (position = start; position < end;) {
        this.#signal.throwIfAborted();
        const left = end - position;
        const part = this.#buffer.subarray(0, left < BUFFER_BYTES ? Number(left) : BUFFER_BYTES);
        const count = await this.#fileSystem.files.read(id, this.#readerCount, position, part, false, this.#signal);
        for (let done = 0; done < count;) {
          done += (await file.write(part, done, count - done, Number(position) + done)).bytesWritten;
        }
        position += BigInt(count);
        this.#report.data(count);
      }
    }
    await file.truncate(Number(size));
  }

  #nextData(id: InodeId, position: bigint): bigint | undefined {
    try {
      return this.#fileSystem.files.seek(id, position, SEEK_DATA);
    } catch (error) {
      if (error instanceof FsError && error.code === 'ENXIO') return undefined;
      throw error;
    }
  }

  /** In this order: a change of owner takes set-uid bits and capabilities away, an ACL changes the mode, everything moves times. */
  async #setAttributes(inode: Inode, target: Uint8Array): Promise<void> {
    const path = Buffer.from(target);
    if (this.#isRoot) await lchown(path, inode.uid, inode.gid);
    this.#setXattrs(inode, path);
    if (!isSymlink(inode.mode)) await chmod(path, inode.mode & PERMISSION_BITS);
    setTimesSync(path, inode.atimeNs, inode.mtimeNs);
  }

  #setXattrs(inode: Inode, path: Uint8Array): void {
    const { xattrs } = this.#fileSystem;
    for (const name of xattrs.list(inode.id)) {
      try {
        setXattrSync(path, name, xattrs.get(inode.id, name));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'ENOTSUP' && code !== 'EPERM') throw error;
        if (!this.#refusedXattrs) {
          log.warn('Some extended attributes cannot be kept here, such as %s of %s (%s)', shownName(name), shownName(path), code);
        }
        this.#refusedXattrs = true;
      }
    }
  }

  /** Beside the target, so that it can be renamed; short, so that it is a possible name. */
  #temporaryName(target: Uint8Array): Buffer {
    this.#temporaryCount += 1;
    const slash = target.lastIndexOf(0x2f);
    return Buffer.concat([target.subarray(0, slash + 1), Buffer.from(`.s3ql-get-${process.pid}-${this.#temporaryCount}`)]);
  }
}

/** Of the file itself; undefined if there is none. */
async function statOf(path: Uint8Array): Promise<BigIntStats | undefined> {
  try {
    return await lstat(Buffer.from(path), { bigint: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
