/** A file system of ours that is mounted: kernel mount, transport, session and notifier put together. */
import { BackingFiles } from './backing-files.ts';
import { DeviceTransport } from './device-transport.ts';
import type { Handlers } from './handlers.ts';
import { mountKernel, type KernelMount, type KernelMountOptions } from './kernel-mount.ts';
import type { Negotiated } from './negotiation.ts';
import { Notifier } from './notifier.ts';
import { Session, type SessionOptions } from './session.ts';

export interface MountFuseOptions extends KernelMountOptions {
  readonly handlers: Handlers;
  readonly session: SessionOptions;
}

/** Mounts a file system; resolves when it serves requests. Rejects with a MountError, or a NegotiationError on kernels that are too old. */
export async function mountFuse(options: MountFuseOptions): Promise<FuseMount> {
  const kernelMount = await mountKernel(options);
  const transport = new DeviceTransport(kernelMount.fd);
  const session = new Session(transport, options.handlers, options.session);
  session.start();
  try {
    const negotiated = await session.initialized;
    return new FuseMount(kernelMount, session, new Notifier(transport), new BackingFiles(transport), negotiated);
  } catch (error) {
    await kernelMount.unmount(true).catch(() => {});
    session.close();
    throw error;
  }
}

export class FuseMount {
  /** Where it is, without symbolic links. */
  readonly mountpoint: string;
  readonly negotiated: Negotiated;
  readonly notifier: Notifier;
  /** Local files for FOPEN_PASSTHROUGH. */
  readonly backingFiles: BackingFiles;
  readonly #kernelMount: KernelMount;
  readonly #session: Session;

  constructor(kernelMount: KernelMount, session: Session, notifier: Notifier, backingFiles: BackingFiles, negotiated: Negotiated) {
    this.mountpoint = kernelMount.mountpoint;
    this.negotiated = negotiated;
    this.notifier = notifier;
    this.backingFiles = backingFiles;
    this.#kernelMount = kernelMount;
    this.#session = session;
  }

  /** Resolves when the file system is unmounted, by whomever, and its handlers are done; rejects if the device failed. */
  get ended(): Promise<void> {
    return this.#session.ended;
  }

  /**
   * Unmounts; `ended` follows. Rejects with a MountError, e.g. while files are open (EBUSY); `lazy` takes it out of sight at once and lets
   * its open files be used on. Does nothing when it was unmounted before.
   */
  async unmount(options: { readonly lazy?: boolean } = {}): Promise<void> {
    if (!this.#session.isOver) await this.#kernelMount.unmount(options.lazy ?? false);
  }
}
