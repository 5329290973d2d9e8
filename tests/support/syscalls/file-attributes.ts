/** statx(2)'s structure, decoded. Source: include/uapi/linux/stat.h, struct statx. */
import { libc } from './libc.ts';
import { type Outcome, outcome } from './outcome.ts';
import type { Path } from './arguments.ts';
import { cString } from './arguments.ts';

export type FileType = 'file' | 'directory' | 'symlink' | 'fifo' | 'character' | 'block' | 'socket';

export interface FileAttributes {
  readonly type: FileType;
  /** Permission, setuid, setgid and sticky bits. */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly ino: bigint;
  readonly size: bigint;
  /** Allocated, in units of 512 bytes. */
  readonly blocks: bigint;
  readonly blockSizeBytes: number;
  readonly rdevMajor: number;
  readonly rdevMinor: number;
  /** Which file system: major and minor of st_dev. */
  readonly dev: string;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** Absent where the file system keeps none. */
  readonly btimeNs?: bigint;
}

const STATX_BASIC_STATS_AND_BTIME = 0xfff;
const STATX_BTIME = 0x800;
const STATX_SIZE = 256;

const TYPES: Readonly<Record<number, FileType>> = {
  0o01: 'fifo',
  0o02: 'character',
  0o04: 'directory',
  0o06: 'block',
  0o10: 'file',
  0o12: 'symlink',
  0o14: 'socket',
};

export function statx(dirfd: number, path: Path, flags: number): Outcome<FileAttributes> {
  const buffer = Buffer.alloc(STATX_SIZE);
  return outcome(libc.statx(dirfd, cString(path), flags, STATX_BASIC_STATS_AND_BTIME, buffer), () => decode(buffer));
}

function decode(buffer: Buffer): FileAttributes {
  const mode = buffer.readUInt16LE(28);
  const type = TYPES[mode >> 12];
  if (type === undefined) throw new Error(`unknown file type in mode ${mode.toString(8)}`);
  const btime = (buffer.readUInt32LE(0) & STATX_BTIME) === 0 ? {} : { btimeNs: time(buffer, 80) };
  return {
    type,
    mode: mode & 0o7777,
    nlink: buffer.readUInt32LE(16),
    uid: buffer.readUInt32LE(20),
    gid: buffer.readUInt32LE(24),
    ino: buffer.readBigUInt64LE(32),
    size: buffer.readBigUInt64LE(40),
    blocks: buffer.readBigUInt64LE(48),
    blockSizeBytes: buffer.readUInt32LE(4),
    rdevMajor: buffer.readUInt32LE(128),
    rdevMinor: buffer.readUInt32LE(132),
    dev: `${buffer.readUInt32LE(136)}:${buffer.readUInt32LE(140)}`,
    atimeNs: time(buffer, 64),
    mtimeNs: time(buffer, 112),
    ctimeNs: time(buffer, 96),
    ...btime,
  };
}

function time(buffer: Buffer, offset: number): bigint {
  return buffer.readBigInt64LE(offset) * 1_000_000_000n + BigInt(buffer.readUInt32LE(offset + 8));
}
