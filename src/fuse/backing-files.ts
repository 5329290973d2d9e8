/** Local files that the kernel reads and writes directly in place of ours (FOPEN_PASSTHROUGH). Needs root and the feature negotiated. */
import { FUSE_DEV_IOC_BACKING_CLOSE, FUSE_DEV_IOC_BACKING_OPEN } from './abi/protocol.ts';
import type { DeviceTransport } from './device-transport.ts';

export class BackingFiles {
  readonly #device: DeviceTransport;

  constructor(device: DeviceTransport) {
    this.#device = device;
  }

  /** Lends an open file to the kernel; the id goes into OpenReply.backingId. The descriptor may be closed afterwards. */
  register(fileFd: number): number {
    // struct fuse_backing_map: fd, flags, padding.
    return this.#device.ioctl(FUSE_DEV_IOC_BACKING_OPEN, Int32Array.of(fileFd, 0, 0, 0));
  }

  /** Takes the file back; those who have it open go on with it. */
  unregister(backingId: number): void {
    this.#device.ioctl(FUSE_DEV_IOC_BACKING_CLOSE, Int32Array.of(backingId));
  }
}
