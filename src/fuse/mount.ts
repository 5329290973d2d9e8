/** A file system of ours that is mounted: kernel mount, transport, session and notifier put together. */
import { BackingFiles } from './backing-files.ts';
import { DeviceTransport } from './device-transport.ts';
import type { Handlers } from './handlers.ts';
import { mountKernel, type KernelMount, type KernelMountOptions } from './kernel-mount.ts';
import { mountedDevice } from './mount-table.ts';
import { DEFAULT_MAX_WRITE_BYTES, checkNegotiationOptions, type Negotiated } from './negotiation.ts';
import { Notifier } from './notifier.ts';
import { DEFAULT_READ_AHEAD_KIB, setReadAhead } from './read-ahead.ts';
import { Session, type SessionOptions } from './session.ts';

export interface MountFuseOptions extends KernelMountOptions {
  readonly handlers: Handlers;
  readonly session: SessionOptions;
}

/** Mounts a file system; resolves when it serves requests. Rejects with a MountError, or a NegotiationError on kernels that are too old. */
export async function mountFuse(options: MountFuseOptions): Promise<FuseMount> {
  // Now, as a session that can't begin would leave a mount that nobody serves.
  checkNegotiationOptions(options.session);
  const { maxWriteBytes = DEFAULT_MAX_WRITE_BYTES } = options.session;
  // Replies have room for no more, and kernels with pages of more than 4 KiB would ask for it.
  const maxReadBytes = Math.min(options.maxReadBytes ?? maxWriteBytes, maxWriteBytes);
  const kernelMount = await mountKernel({ ...options, maxReadBytes });
  const transport = new DeviceTransport(kernelMount.fd);
  const session = new Session(transport, options.handlers, options.session);
  session.start();
  try {
    const negotiated = await session.initialized;
    const device = await mountedDevice(kernelMount.mountpoint);
    return new FuseMount({
      kernelMount,
      device,
      session,
      notifier: new Notifier(transport),
      backingFiles: new BackingFiles(transport),
      negotiated,
    });
  } catch (error) {
    await kernelMount.unmount(true).catch(() => {});
    session.close();
    throw error;
  }
}

interface FuseMountParts {
  readonly kernelMount: KernelMount;
  /** Undefined if it was unmounted meanwhile. */
  readonly device: string | undefined;
  readonly session: Session;
  readonly notifier: Notifier;
  readonly backingFiles: BackingFiles;
  readonly negotiated: Negotiated;
}

export class FuseMount {
  /** Where it is, without symbolic links. */
  readonly mountpoint: string;
  readonly negotiated: Negotiated;
  readonly notifier: Notifier;
  /** Local files for FOPEN_PASSTHROUGH. */
  readonly backingFiles: BackingFiles;
  readonly #kernelMount: KernelMount;
  readonly #device: string | undefined;
  readonly #session: Session;

  constructor(parts: FuseMountParts) {
    this.mountpoint = parts.kernelMount.mountpoint;
    this.negotiated = parts.negotiated;
    this.notifier = parts.notifier;
    this.backingFiles = parts.backingFiles;
    this.#kernelMount = parts.kernelMount;
    this.#device = parts.device;
    this.#session = parts.session;
  }

  /**
   * Resolves when the file system is unmounted, by whomever, and its handlers are done. Rejects, then too, if the device failed, if the
   * connection was aborted (ECONNABORTED, while it is still mounted), or with what the destroy handler failed with.
   */
  get ended(): Promise<void> {
    return this.#session.ended;
  }

  /** Raises the kernel's read-ahead, for which one must be root. */
  async setReadAhead(sizeKib: number = DEFAULT_READ_AHEAD_KIB): Promise<void> {
    if (this.#device !== undefined) await setReadAhead(this.#device, sizeKib);
  }

  /**
   * Unmounts; `ended` follows. Rejects with a MountError, e.g. while files are open (EBUSY); `lazy` takes it out of sight at once and lets
   * its open files be used on. Does nothing when it is not mounted any more.
   */
  async unmount(options: { readonly lazy?: boolean } = {}): Promise<void> {
    if (this.#device === undefined || (await mountedDevice(this.mountpoint)) !== this.#device) return;
    await this.#kernelMount.unmount(options.lazy ?? false);
  }
}
