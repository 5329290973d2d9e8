/**
 * `s3ql get`: copies trees from the file system to this machine: contents with their holes, links, devices, modes, times, extended attributes,
 * and owners as far as the user may set them.
 *
 * A file gets its name when it is complete, in the place of what was there; so an interrupted copy leaves whole files only. Nothing is written
 * through symbolic links that are found at the target. Several files of a directory are on their way at a time, because each may wait for the store.
 */
import { chmodSync, constants, lchownSync, linkSync, lstatSync, mkdirSync, renameSync, rmSync, type Stats, symlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { isDirectory, isRegularFile, isSymlink, PERMISSION_BITS } from '../../filesystem/file-mode.ts';
import type { FileSystem } from '../../filesystem/file-system.ts';
import type { Inode, InodeId } from '../../metadata/types.ts';
import { FsError } from '../../util/errors.ts';
import { SEEK_DATA, SEEK_HOLE } from '../../util/libc.ts';
import { logger } from '../../util/log.ts';
import { makeNodeSync, setTimesSync, setXattrSync } from '../../util/native-files.ts';
import type { CopyReport } from './copy-report.ts';
import { forEachLimit } from '../../util/for-each-limit.ts';
import type { FileErrors } from './file-errors.ts';
import { checkDepth, checkName, entriesOf, joinPath, type ListedEntry } from './paths.ts';
import { shownName } from './shown-name.ts';

const BUFFER_BYTES = 1024 * 1024;
/** Files on their way at a time. */
const CONCURRENT_FILES = 16;

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
  /** Where the first link of a file with several links is copied to; undefined if that failed. */
  readonly #links = new Map<InodeId, Promise<Uint8Array | undefined>>();
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
    const existing = statOf(target);
    if (existing === undefined) mkdirSync(Buffer.from(target), { mode: 0o700 });
    else if (!existing.isDirectory()) throw new FsError('ENOTDIR');
    const entries = (areDirectories: boolean): Iterable<ListedEntry> =>
      entriesOf(this.#fileSystem, inode.id).filter(({ attributes }) => isDirectory(attributes.mode) === areDirectories);
    await forEachLimit(
      entries(false),
      CONCURRENT_FILES,
      ({ name, attributes }) => this.#copyEntry(attributes, target, name, depth),
      this.#signal,
    );
    for (const { name, attributes } of entries(true)) await this.#copyEntry(attributes, target, name, depth);
    // Last: adding entries moves times, and the mode may forbid to add any.
    this.#setAttributes(inode, target);
    this.#report.directory();
  }

  async #copyFile(inode: Inode, target: Uint8Array): Promise<void> {
    if (statOf(target)?.isDirectory() === true) throw new FsError('EISDIR');
    const original = await this.#links.get(inode.id);
    if (original !== undefined) {
      await this.#install(target, (temporary) => linkSync(Buffer.from(original), temporary));
    } else if (inode.linkCount > 1) {
      const copied = Promise.withResolvers<Uint8Array | undefined>();
      this.#links.set(inode.id, copied.promise);
      let isCopied = false;
      try {
        await this.#copyNew(inode, target);
        isCopied = true;
      } finally {
        copied.resolve(isCopied ? target : undefined);
      }
    } else await this.#copyNew(inode, target);
    this.#report.file();
  }

  async #copyNew(inode: Inode, target: Uint8Array): Promise<void> {
    await this.#install(target, async (temporary) => {
      await this.#make(inode, temporary);
      this.#setAttributes(inode, temporary);
    });
  }

  /** The target gets its name when it is complete. */
  async #install(target: Uint8Array, make: (temporary: Buffer) => void | Promise<void>): Promise<void> {
    const temporary = this.#temporaryName(target);
    try {
      await make(temporary);
      renameSync(temporary, Buffer.from(target));
    } finally {
      // Renaming one link of a file to another leaves both; all else is gone or unfinished.
      rmSync(temporary, { force: true });
    }
  }

  async #make(inode: Inode, path: Buffer): Promise<void> {
    if (isRegularFile(inode.mode)) await this.#copyContents(inode, path);
    else if (isSymlink(inode.mode)) symlinkSync(Buffer.from(this.#fileSystem.directories.readSymlink(inode.id)), path);
    else makeNodeSync(path, inode.mode, inode.rdev);
  }

  async #copyContents({ id, size }: Inode, path: Buffer): Promise<void> {
    if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw new FsError('EFBIG');
    this.#readerCount += 1;
    const reader = this.#readerCount;
    const buffer = Buffer.allocUnsafe(size < BUFFER_BYTES ? Number(size) : BUFFER_BYTES);
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    await using file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    for (let position = 0n; position < size;) {
      const start = this.#nextData(id, position);
      if (start === undefined) break;
      const end = this.#fileSystem.files.seek(id, start, SEEK_HOLE);
      for (position = start; position < end;) {
        this.#signal.throwIfAborted();
        const left = end - position;
        const part = buffer.subarray(0, left < BUFFER_BYTES ? Number(left) : BUFFER_BYTES);
        const count = await this.#fileSystem.files.read(id, reader, position, part, false, this.#signal);
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
  #setAttributes(inode: Inode, target: Uint8Array): void {
    const path = Buffer.from(target);
    if (this.#isRoot) lchownSync(path, inode.uid, inode.gid);
    this.#setXattrs(inode, path);
    if (!isSymlink(inode.mode)) chmodSync(path, inode.mode & PERMISSION_BITS);
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
function statOf(path: Uint8Array): Stats | undefined {
  return lstatSync(Buffer.from(path), { throwIfNoEntry: false });
}
