/** File handles, as an NFS server uses them: name_to_handle_at(2), open_by_handle_at(2). */
import { type Descriptor, type Path, cString, descriptor, keepDescriptor } from './arguments.ts';
import { AT_FDCWD } from './constants.ts';
import { libc } from './libc.ts';
import { type Outcome, outcome } from './outcome.ts';

/** struct file_handle: uint32 bytes, int32 type, opaque bytes. */
const MAX_HANDLE_BYTES = 128;

export const handleCalls = {
  nameToHandle(path: Path): Outcome<Uint8Array> {
    const handle = Buffer.alloc(8 + MAX_HANDLE_BYTES);
    handle.writeUInt32LE(MAX_HANDLE_BYTES, 0);
    return outcome(libc.name_to_handle_at(AT_FDCWD, cString(path), handle, Buffer.alloc(8), 0), () =>
      handle.subarray(0, 8 + handle.readUInt32LE(0)),
    );
  },
  /** `mountFd` is any descriptor in the file system. */
  openByHandle(mountFd: Descriptor, handle: Uint8Array, flags: number, slot: string): Outcome {
    const opened = outcome(libc.open_by_handle_at(descriptor(mountFd), Uint8Array.from(handle), flags));
    if (opened.error !== undefined) return opened;
    keepDescriptor(slot, Number(opened.result));
    return { result: 0 };
  },
};
