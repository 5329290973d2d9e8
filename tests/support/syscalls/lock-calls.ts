/** flock(2) and fcntl(2) locks: of the process (POSIX) and of the open file description. Source: fcntl(2), struct flock of LP64. */
import { type Descriptor, descriptor } from './arguments.ts';
import { type Long, libc } from './libc.ts';
import { type Outcome, outcome } from './outcome.ts';

export type LockType = 'read' | 'write' | 'unlock';

export interface RecordLock {
  readonly type: LockType;
  readonly start: Long;
  /** 0: to the end of the file, wherever that will be. */
  readonly lengthBytes: Long;
}

export interface FoundLock extends RecordLock {
  readonly pid: number;
}

const F_GETLK = 5;
const F_SETLK = 6;
const F_SETLKW = 7;
const F_OFD_SETLK = 37;
const TYPES: readonly LockType[] = ['read', 'write', 'unlock'];

export const lockCalls = {
  flock(fd: Descriptor, operation: number): Outcome {
    return outcome(libc.flock(descriptor(fd), operation));
  },
  setLock(fd: Descriptor, lock: RecordLock): Outcome {
    return outcome(libc.fcntlLock(descriptor(fd), F_SETLK, encode(lock)));
  },
  /** Waits until the lock can be had. */
  waitForLock(fd: Descriptor, lock: RecordLock): Outcome {
    return outcome(libc.fcntlLock(descriptor(fd), F_SETLKW, encode(lock)));
  },
  setDescriptionLock(fd: Descriptor, lock: RecordLock): Outcome {
    return outcome(libc.fcntlLock(descriptor(fd), F_OFD_SETLK, encode(lock)));
  },
  /** The lock that stands in the way, or type `unlock`. */
  getLock(fd: Descriptor, lock: RecordLock): Outcome<FoundLock> {
    const buffer = encode(lock);
    return outcome(libc.fcntlLock(descriptor(fd), F_GETLK, buffer), () => ({
      type: TYPES[buffer.readInt16LE(0)] as LockType,
      start: buffer.readBigInt64LE(8),
      lengthBytes: buffer.readBigInt64LE(16),
      pid: buffer.readInt32LE(24),
    }));
  },
};

function encode(lock: RecordLock): Buffer {
  const buffer = Buffer.alloc(32);
  buffer.writeInt16LE(TYPES.indexOf(lock.type), 0);
  buffer.writeBigInt64LE(BigInt(lock.start), 8);
  buffer.writeBigInt64LE(BigInt(lock.lengthBytes), 16);
  return buffer;
}
