/** System calls on open files and directories. */
import {
  type Content,
  type Descriptor,
  type Path,
  type TimeArgument,
  bytesOf,
  cString,
  descriptor,
  keepDescriptor,
  releaseSlot,
  timespecs,
} from './arguments.ts';
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_FOLLOW } from './constants.ts';
import { type FileAttributes, statx } from './file-attributes.ts';
import { type Long, libc } from './libc.ts';
import { type Outcome, errnoName, outcome } from './outcome.ts';

export interface ListedEntry {
  readonly name: Uint8Array;
  readonly ino: bigint;
  /** d_type: DT_REG and so on, the file type's four bits. */
  readonly type: number;
  /** Cookie of the place behind this entry, for lseek. */
  readonly nextOffset: bigint;
}

export const descriptorCalls = {
  close(fd: Descriptor): Outcome {
    const number = descriptor(fd);
    if (typeof fd === 'string') releaseSlot(fd);
    return outcome(libc.close(number));
  },
  openat(directory: Descriptor, path: Path, flags: number, mode: number, slot: string): Outcome {
    const opened = outcome(libc.openat(descriptor(directory), cString(path), flags, mode));
    if (opened.error === undefined) keepDescriptor(slot, Number(opened.result));
    return opened.error === undefined ? { result: 0 } : opened;
  },
  fchdir(fd: Descriptor): Outcome {
    return outcome(libc.fchdir(descriptor(fd)));
  },
  fchmod(fd: Descriptor, mode: number): Outcome {
    return outcome(libc.fchmod(descriptor(fd), mode));
  },
  fchown(fd: Descriptor, uid: number, gid: number): Outcome {
    return outcome(libc.fchown(descriptor(fd), uid, gid));
  },
  fstat(fd: Descriptor): Outcome<FileAttributes> {
    return statx(descriptor(fd), '', AT_EMPTY_PATH);
  },
  ftruncate(fd: Descriptor, lengthBytes: Long): Outcome {
    return outcome(libc.ftruncate(descriptor(fd), lengthBytes));
  },
  futimens(fd: Descriptor, times: readonly [TimeArgument, TimeArgument] | null): Outcome {
    return outcome(libc.futimens(descriptor(fd), timespecs(times)));
  },
  /** Gives a name to an open file, O_TMPFILE's among them. */
  linkDescriptor(fd: Descriptor, path: Path): Outcome {
    return outcome(libc.linkat(AT_FDCWD, cString(`/proc/self/fd/${descriptor(fd)}`), AT_FDCWD, cString(path), AT_SYMLINK_FOLLOW));
  },
  read(fd: Descriptor, lengthBytes: number): Outcome<Uint8Array> {
    const buffer = Buffer.alloc(lengthBytes);
    return filled(libc.read(descriptor(fd), buffer, lengthBytes), buffer);
  },
  pread(fd: Descriptor, lengthBytes: number, offset: Long): Outcome<Uint8Array> {
    const buffer = Buffer.alloc(lengthBytes);
    return filled(libc.pread(descriptor(fd), buffer, lengthBytes, offset), buffer);
  },
  write(fd: Descriptor, content: Content): Outcome {
    const bytes = bytesOf(content);
    return outcome(libc.write(descriptor(fd), bytes, bytes.length));
  },
  pwrite(fd: Descriptor, content: Content, offset: Long): Outcome {
    const bytes = bytesOf(content);
    return outcome(libc.pwrite(descriptor(fd), bytes, bytes.length, offset));
  },
  fsync(fd: Descriptor): Outcome {
    return outcome(libc.fsync(descriptor(fd)));
  },
  fdatasync(fd: Descriptor): Outcome {
    return outcome(libc.fdatasync(descriptor(fd)));
  },
  syncfs(fd: Descriptor): Outcome {
    return outcome(libc.syncfs(descriptor(fd)));
  },
  lseek(fd: Descriptor, offset: Long, whence: number): Outcome {
    return outcome(libc.lseek(descriptor(fd), offset, whence));
  },
  /** One getdents64(2): some entries, none at the end. */
  getdents(fd: Descriptor, bufferBytes: number = 32_768): Outcome<ListedEntry[]> {
    const buffer = Buffer.alloc(bufferBytes);
    const read = libc.getdents64(descriptor(fd), buffer, bufferBytes);
    return outcome(read, () => entriesIn(buffer.subarray(0, Number(read))));
  },
  /** All entries from the directory's present position on. */
  listDirectory(fd: Descriptor, bufferBytes: number = 32_768): Outcome<ListedEntry[]> {
    const entries: ListedEntry[] = [];
    for (;;) {
      const some = descriptorCalls.getdents(fd, bufferBytes);
      if (some.data === undefined) return some;
      if (some.data.length === 0) return { result: entries.length, data: entries };
      entries.push(...some.data);
    }
  },
  /** Returns its errno instead of setting it. */
  posixFallocate(fd: Descriptor, offset: Long, lengthBytes: Long): Outcome {
    const errno = libc.posix_fallocate(descriptor(fd), offset, lengthBytes);
    return errno === 0 ? { result: 0 } : { result: -1, error: errnoName(errno) };
  },
};

function filled(count: Long, buffer: Buffer): Outcome<Uint8Array> {
  return outcome(count, () => buffer.subarray(0, Number(count)));
}

/** struct linux_dirent64: ino, offset, record length, type, name. */
function entriesIn(buffer: Buffer): ListedEntry[] {
  const entries: ListedEntry[] = [];
  for (let at = 0; at < buffer.length; at += buffer.readUInt16LE(at + 16)) {
    entries.push({
      name: buffer.subarray(at + 19, buffer.indexOf(0, at + 19)),
      ino: buffer.readBigUInt64LE(at),
      type: buffer.readUInt8(at + 18),
      nextOffset: buffer.readBigInt64LE(at + 8),
    });
  }
  return entries;
}
