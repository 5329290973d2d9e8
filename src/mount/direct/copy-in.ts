/**
 * `s3ql put`: copies trees of this machine into the file system, as `cp -a` would into a mount: contents with their holes, links, devices, modes,
 * owners, times, extended attributes.
 *
 * A file gets its name when it is complete, in the place of what was there; so an interrupted copy leaves whole files only.
 */
import { constants, type BigIntStats } from 'node:fs';
import { type FileHandle, lstat, open, opendir, readlink } from 'node:fs/promises';
import { isDirectory, S_IFREG } from '../../filesystem/file-mode.ts';
import type { FileSystem } from '../../filesystem/file-system.ts';
import { CONTROL_FILE_NAME } from '../../filesystem/directory-operations.ts';
import type { Inode, InodeId } from '../../metadata/types.ts';
import { FsError } from '../../util/errors.ts';
import { lseekSync, SEEK_DATA, SEEK_HOLE } from '../../util/libc.ts';
import { untilAborted } from '../../util/until-aborted.ts';
import { getXattrSync, listXattrsSync } from '../../util/native-files.ts';
import type { WriteGate } from '../write-gate.ts';
import type { CopyReport } from './copy-report.ts';
import type { FileErrors } from './file-errors.ts';
import { joinPath, lookUp } from './paths.ts';

const BUFFER_BYTES = 1024 * 1024;

export interface CopyInParts {
  readonly fileSystem: FileSystem;
  readonly gate: WriteGate;
  readonly errors: FileErrors;
  readonly report: CopyReport;
  readonly signal: AbortSignal;
}

export class CopyIn {
  readonly #fileSystem: FileSystem;
  readonly #gate: WriteGate;
  readonly #errors: FileErrors;
  readonly #report: CopyReport;
  readonly #signal: AbortSignal;
  readonly #caller = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, umask: 0 };
  /** By device and inode of a file here that has several links: its copy. */
  readonly #links = new Map<string, InodeId>();
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);

  constructor({ fileSystem, gate, errors, report, signal }: CopyInParts) {
    this.#fileSystem = fileSystem;
    this.#gate = gate;
    this.#errors = errors;
    this.#report = report;
    this.#signal = signal;
  }

  /** Copies the file, with all below it, to that name in the directory. What goes wrong with a file is noted. @throws if interrupted */
  async copy(source: Buffer, parent: InodeId, name: Uint8Array): Promise<void> {
    this.#signal.throwIfAborted();
    try {
      this.#gate.requireOpen();
      if (CONTROL_FILE_NAME.equals(name)) throw new FsError('EACCES');
      const stats = await lstat(source, { bigint: true });
      if (stats.isDirectory()) await this.#copyDirectory(source, stats, parent, name);
      else await this.#copyFile(source, stats, parent, name);
    } catch (error) {
      this.#errors.add(source, error);
    }
  }

  async #copyDirectory(source: Buffer, stats: BigIntStats, parent: InodeId, name: Uint8Array): Promise<void> {
    const existing = lookUp(this.#fileSystem, parent, name);
    if (existing !== undefined && !isDirectory(existing.mode)) throw new FsError('ENOTDIR');
    const isNew = existing === undefined;
    const inode = existing ?? this.#fileSystem.directories.make(parent, name, Number(stats.mode), 0, this.#caller);
    try {
      for await (const entry of await opendir(source, { encoding: 'buffer' as BufferEncoding })) {
        const entryName = entry.name as unknown as Buffer;
        await this.copy(joinPath(source, entryName), inode.id, entryName);
      }
      // Last: adding entries moves times.
      await this.#setAttributes(source, stats, inode.id, isNew);
    } finally {
      if (isNew) this.#fileSystem.forget(inode.id, 1);
    }
    this.#report.directory();
  }

  async #copyFile(source: Buffer, stats: BigIntStats, parent: InodeId, name: Uint8Array): Promise<void> {
    const key = `${stats.dev}:${stats.ino}`;
    const first = this.#links.get(key);
    if (first !== undefined) {
      this.#give(first, parent, name);
      this.#fileSystem.forget(first, 1);
    } else {
      const inode = await this.#make(source, stats, parent, name);
      this.#fileSystem.forget(inode.id, 1);
      if (stats.nlink > 1n) this.#links.set(key, inode.id);
    }
    this.#report.file();
  }

  /** The new file, counted as looked up. */
  async #make(source: Buffer, stats: BigIntStats, parent: InodeId, name: Uint8Array): Promise<Inode> {
    const { directories } = this.#fileSystem;
    const mode = Number(stats.mode);
    if (stats.isFile()) {
      const inode = directories.makeNameless(parent, S_IFREG | 0o600, this.#caller);
      try {
        await this.#copyContents(source, inode.id);
        await this.#setAttributes(source, stats, inode.id, true);
        this.#give(inode.id, parent, name);
      } catch (error) {
        // Without a name it goes.
        this.#fileSystem.forget(inode.id, 1);
        throw error;
      }
      // Told of twice: made, and linked.
      this.#fileSystem.forget(inode.id, 1);
      return inode;
    }
    const target = stats.isSymbolicLink() ? await readlink(source, { encoding: 'buffer' }) : undefined;
    this.#removeFile(parent, name);
    const inode =
      target === undefined
        ? directories.make(parent, name, mode, Number(stats.rdev & 0xffff_ffffn), this.#caller)
        : directories.makeSymlink(parent, name, target, this.#caller);
    await this.#setAttributes(source, stats, inode.id, true);
    return inode;
  }

  /** Links the inode there, in the place of what had the name: at once, as far as anybody can see. Counts as looked up. */
  #give(inode: InodeId, parent: InodeId, name: Uint8Array): void {
    if (lookUp(this.#fileSystem, parent, name)?.id === inode) {
      this.#fileSystem.addLookup(inode);
      return;
    }
    this.#removeFile(parent, name);
    this.#fileSystem.directories.link(inode, parent, name);
  }

  #removeFile(parent: InodeId, name: Uint8Array): void {
    if (lookUp(this.#fileSystem, parent, name) !== undefined) this.#fileSystem.directories.unlink(parent, name);
  }

  async #copyContents(source: Buffer, inode: InodeId): Promise<void> {
    await using file = await open(source, constants.O_RDONLY | constants.O_NOFOLLOW);
    const { files } = this.#fileSystem;
    let { size } = await file.stat();
    for (let position = 0; position < size;) {
      const start = seek(file, position, SEEK_DATA);
      if (start === undefined) break;
      const end = Math.min(seek(file, start, SEEK_HOLE) ?? size, size);
      for (position = start; position < end;) {
        this.#signal.throwIfAborted();
        this.#gate.requireOpen();
        const { bytesRead } = await file.read(this.#buffer, 0, Math.min(BUFFER_BYTES, end - position), position);
        if (bytesRead === 0) {
          // The file has become shorter meanwhile.
          size = position;
          break;
        }
        const written = files.write(inode, BigInt(position), this.#buffer.subarray(0, bytesRead), false);
        // A full cache makes it wait for the store, which may take for ever.
        if (written instanceof Promise) await untilAborted(written, this.#signal);
        position += bytesRead;
        this.#report.data(bytesRead);
      }
    }
    await files.truncate(inode, BigInt(size), false);
  }

  /** ACLs change the mode, so the mode comes behind them, and everything moves times. */
  async #setAttributes(source: Buffer, stats: BigIntStats, inode: InodeId, isNew: boolean): Promise<void> {
    const { xattrs, attributes } = this.#fileSystem;
    const names = listXattrs(source);
    // What the new file got from its directory (ACLs) is not the source's.
    const inherited = isNew ? xattrs.list(inode).filter((name) => !names.some((other) => other.equals(name))) : [];
    for (const name of inherited) xattrs.remove(inode, name);
    for (const name of names) {
      try {
        xattrs.set(inode, name, getXattrSync(source, name), 0, false);
      } catch (error) {
        // Attributes of this machine's own kind ("system.nfs4_acl"), or one that has just gone.
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'EOPNOTSUPP' && code !== 'ENODATA') throw error;
      }
    }
    await attributes.change(inode, {
      mode: Number(stats.mode),
      uid: Number(stats.uid),
      gid: Number(stats.gid),
      atimeNs: stats.atimeNs,
      mtimeNs: stats.mtimeNs,
      killSuidgid: false,
    });
  }
}

/** None where the file system has none. */
function listXattrs(path: Buffer): Buffer[] {
  try {
    return listXattrsSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTSUP') return [];
    throw error;
  }
}

/** Undefined behind the last. */
function seek(file: FileHandle, position: number, whence: number): number | undefined {
  try {
    return lseekSync(file.fd, position, whence);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENXIO') return undefined;
    throw error;
  }
}
