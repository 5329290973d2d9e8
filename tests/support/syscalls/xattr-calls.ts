/** Extended attributes. Paths are not followed when they are symbolic links. */
import { type Content, type Descriptor, type Path, bytesOf, cString, descriptor } from './arguments.ts';
import { libc } from './libc.ts';
import { type Outcome, outcome } from './outcome.ts';

const LARGEST_VALUE_BYTES = 65_536;

export const xattrCalls = {
  setxattr(path: Path, name: Path, value: Content, flags: number = 0): Outcome {
    const bytes = bytesOf(value);
    return outcome(libc.lsetxattr(cString(path), cString(name), bytes, bytes.length, flags));
  },
  fsetxattr(fd: Descriptor, name: Path, value: Content, flags: number = 0): Outcome {
    const bytes = bytesOf(value);
    return outcome(libc.fsetxattr(descriptor(fd), cString(name), bytes, bytes.length, flags));
  },
  /** With a buffer of that many bytes; 0 asks for the size alone. */
  getxattr(path: Path, name: Path, bufferBytes: number = LARGEST_VALUE_BYTES): Outcome<Uint8Array> {
    const buffer = Buffer.alloc(bufferBytes);
    const length = libc.lgetxattr(cString(path), cString(name), buffer, bufferBytes);
    return outcome(length, () => buffer.subarray(0, Number(length)));
  },
  fgetxattr(fd: Descriptor, name: Path): Outcome<Uint8Array> {
    const buffer = Buffer.alloc(LARGEST_VALUE_BYTES);
    const length = libc.fgetxattr(descriptor(fd), cString(name), buffer, LARGEST_VALUE_BYTES);
    return outcome(length, () => buffer.subarray(0, Number(length)));
  },
  /** The names, sorted. */
  listxattr(path: Path, bufferBytes: number = LARGEST_VALUE_BYTES): Outcome<string[]> {
    const buffer = Buffer.alloc(bufferBytes);
    const length = libc.llistxattr(cString(path), buffer, bufferBytes);
    return outcome(length, () => buffer.toString('latin1', 0, Number(length)).split('\0').slice(0, -1).sort());
  },
  removexattr(path: Path, name: Path): Outcome {
    return outcome(libc.lremovexattr(cString(path), cString(name)));
  },
};
