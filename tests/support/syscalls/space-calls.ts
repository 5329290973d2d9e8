/** Allocation, clones, inode flags, memory mappings. */
import { type Content, type Descriptor, bytesOf, descriptor } from './arguments.ts';
import { type Long, libc, mappedBytes } from './libc.ts';
import { type Outcome, outcome } from './outcome.ts';

const FICLONE = 0x40049409;
const FICLONERANGE = 0x4020940d;
const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MS_SYNC = 4;
const POSIX_FADV_DONTNEED = 4;
const LARGEST_IOCTL_BYTES = 1 << 15;

export const spaceCalls = {
  fallocate(fd: Descriptor, mode: number, offset: Long, lengthBytes: Long): Outcome {
    return outcome(libc.fallocate(descriptor(fd), mode, offset, lengthBytes));
  },
  copyFileRange(from: Descriptor, fromOffset: Long, to: Descriptor, toOffset: Long, lengthBytes: Long, flags: number = 0): Outcome {
    return outcome(libc.copy_file_range(descriptor(from), int64(fromOffset), descriptor(to), int64(toOffset), lengthBytes, flags));
  },
  cloneFile(from: Descriptor, to: Descriptor): Outcome {
    return outcome(libc.ioctl(descriptor(to), FICLONE, descriptor(from)));
  },
  cloneRange(from: Descriptor, fromOffset: bigint, to: Descriptor, toOffset: bigint, lengthBytes: bigint): Outcome {
    const range = Buffer.alloc(32);
    range.writeBigInt64LE(BigInt(descriptor(from)), 0);
    range.writeBigUInt64LE(fromOffset, 8);
    range.writeBigUInt64LE(lengthBytes, 16);
    range.writeBigUInt64LE(toOffset, 24);
    return outcome(libc.ioctlPointer(descriptor(to), FICLONERANGE, range));
  },
  /** FS_*_FL bits, as lsattr shows them. */
  getInodeFlags(fd: Descriptor): Outcome<number> {
    const buffer = Buffer.alloc(8);
    return outcome(libc.ioctlPointer(descriptor(fd), FS_IOC_GETFLAGS, buffer), () => buffer.readUInt32LE(0));
  },
  setInodeFlags(fd: Descriptor, flags: number): Outcome {
    const buffer = Buffer.alloc(8);
    buffer.writeUInt32LE(flags, 0);
    return outcome(libc.ioctlPointer(descriptor(fd), FS_IOC_SETFLAGS, buffer));
  },
  /** Any ioctl(2), with a buffer larger than any size that a command number can hold, all of whose bytes are `fill`. */
  anyIoctl(fd: Descriptor, command: number, fill: number): Outcome {
    return outcome(libc.ioctlPointer(descriptor(fd), command, Buffer.alloc(LARGEST_IOCTL_BYTES, fill)));
  },
  /** Asks the kernel to drop the file's clean pages: what is read next comes from the file system. */
  forgetPages(fd: Descriptor): Outcome {
    return { result: libc.posix_fadvise(descriptor(fd), 0, 0, POSIX_FADV_DONTNEED) };
  },
  /** Reads through a shared mapping; `offset` is a multiple of the page size. */
  readMapped(fd: Descriptor, lengthBytes: number, offset: Long): Outcome<Uint8Array> {
    const address = libc.mmap(null, lengthBytes, PROT_READ, MAP_SHARED, descriptor(fd), offset);
    return outcome(address, () => {
      const bytes = Uint8Array.from(mappedBytes(address, lengthBytes));
      libc.munmap(address, lengthBytes);
      return bytes;
    });
  },
  /** Writes through a shared mapping and msync(2)s it if asked; `offset` is a multiple of the page size, `skip` bytes come before the content. */
  writeMapped(fd: Descriptor, content: Content, offset: Long, skip: number = 0, sync: boolean = false): Outcome {
    const bytes = bytesOf(content);
    const lengthBytes = skip + bytes.length;
    const address = libc.mmap(null, lengthBytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor(fd), offset);
    if (BigInt(address) === -1n) return outcome(-1);
    mappedBytes(address, lengthBytes).set(bytes, skip);
    const synced = sync ? outcome(libc.msync(address, lengthBytes, MS_SYNC)) : { result: 0 };
    libc.munmap(address, lengthBytes);
    return synced;
  },
};

function int64(value: Long): Uint8Array {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64LE(BigInt(value), 0);
  return buffer;
}
