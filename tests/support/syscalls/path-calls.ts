/** System calls that take paths. Relative paths start at the agent's working directory. */
import { cString, keepDescriptor, timespecs } from './arguments.ts';
import type { Path, TimeArgument } from './arguments.ts';
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW, PATH_MAX } from './constants.ts';
import { type FileAttributes, statx } from './file-attributes.ts';
import { type Long, libc } from './libc.ts';
import { type Outcome, outcome } from './outcome.ts';

export interface FileSystemFigures {
  readonly blockSizeBytes: bigint;
  readonly blocks: bigint;
  readonly freeBlocks: bigint;
  readonly availableBlocks: bigint;
  readonly files: bigint;
  readonly freeFiles: bigint;
  readonly maxNameLength: bigint;
  readonly fragmentSizeBytes: bigint;
}

export const pathCalls = {
  access(path: Path, mode: number): Outcome {
    return outcome(libc.access(cString(path), mode));
  },
  faccessat(path: Path, mode: number, flags: number): Outcome {
    return outcome(libc.faccessat(AT_FDCWD, cString(path), mode, flags));
  },
  chdir(path: Path): Outcome {
    return outcome(libc.chdir(cString(path)));
  },
  chmod(path: Path, mode: number): Outcome {
    return outcome(libc.chmod(cString(path), mode));
  },
  chown(path: Path, uid: number, gid: number): Outcome {
    return outcome(libc.chown(cString(path), uid, gid));
  },
  lchown(path: Path, uid: number, gid: number): Outcome {
    return outcome(libc.lchown(cString(path), uid, gid));
  },
  link(from: Path, to: Path, flags: number = 0): Outcome {
    return outcome(libc.linkat(AT_FDCWD, cString(from), AT_FDCWD, cString(to), flags));
  },
  mkdir(path: Path, mode: number): Outcome {
    return outcome(libc.mkdir(cString(path), mode));
  },
  mkfifo(path: Path, mode: number): Outcome {
    return outcome(libc.mkfifo(cString(path), mode));
  },
  /** `mode` with its file type. */
  mknod(path: Path, mode: number, major: number = 0, minor: number = 0): Outcome {
    return outcome(libc.mknod(cString(path), mode, deviceNumber(major, minor)));
  },
  /** Keeps the descriptor in `slot`; closes it at once if none is given. */
  open(path: Path, flags: number, mode: number = 0, slot?: string): Outcome {
    const opened = outcome(libc.open(cString(path), flags, mode));
    if (opened.error !== undefined) return opened;
    if (slot === undefined) libc.close(Number(opened.result));
    else keepDescriptor(slot, Number(opened.result));
    return { result: 0 };
  },
  readlink(path: Path): Outcome<Uint8Array> {
    const buffer = Buffer.alloc(PATH_MAX);
    const length = libc.readlink(cString(path), buffer, buffer.length);
    return outcome(length, () => buffer.subarray(0, Number(length)));
  },
  rename(from: Path, to: Path, flags: number = 0): Outcome {
    return outcome(libc.renameat2(AT_FDCWD, cString(from), AT_FDCWD, cString(to), flags));
  },
  rmdir(path: Path): Outcome {
    return outcome(libc.rmdir(cString(path)));
  },
  stat(path: Path): Outcome<FileAttributes> {
    return statx(AT_FDCWD, path, 0);
  },
  lstat(path: Path): Outcome<FileAttributes> {
    return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
  },
  statfs(path: Path): Outcome<FileSystemFigures> {
    const buffer = Buffer.alloc(120);
    return outcome(libc.statfs(cString(path), buffer), () => ({
      blockSizeBytes: buffer.readBigInt64LE(8),
      blocks: buffer.readBigUInt64LE(16),
      freeBlocks: buffer.readBigUInt64LE(24),
      availableBlocks: buffer.readBigUInt64LE(32),
      files: buffer.readBigUInt64LE(40),
      freeFiles: buffer.readBigUInt64LE(48),
      maxNameLength: buffer.readBigInt64LE(64),
      fragmentSizeBytes: buffer.readBigInt64LE(72),
    }));
  },
  symlink(target: Path, path: Path): Outcome {
    return outcome(libc.symlink(cString(target), cString(path)));
  },
  truncate(path: Path, lengthBytes: Long): Outcome {
    return outcome(libc.truncate(cString(path), lengthBytes));
  },
  unlink(path: Path): Outcome {
    return outcome(libc.unlink(cString(path)));
  },
  /** `times` are atime and mtime; null sets both to now. */
  utimensat(path: Path, times: readonly [TimeArgument, TimeArgument] | null, flags: number = 0): Outcome {
    return outcome(libc.utimensat(AT_FDCWD, cString(path), timespecs(times), flags));
  },
};

/** glibc's makedev(3). */
function deviceNumber(major: number, minor: number): bigint {
  const high = BigInt(major);
  const low = BigInt(minor);
  return ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn);
}
