/**
 * Tells the kernel to drop what it caches. Each method resolves to whether the kernel knew the thing.
 *
 * The kernel takes a notification only when it gets the locks it needs, and a request that is being served may hold them. So notifications
 * are written one at a time by a thread of libuv's pool: never by the thread that serves requests, which would wait for itself, and never by
 * the whole pool, which handlers may need to go on. Handlers therefore must not wait for a notification before they reply.
 */
import { Notify, OUT_HEADER_BYTES } from './abi/protocol.ts';
import { EXPIRE_ONLY } from './abi/flags.ts';
import { ReplyBuffer } from './reply-buffer.ts';
import type { Transport } from './transport.ts';

/** Notifications that may wait for their turn; further ones are refused. */
export const MAX_QUEUED_NOTIFICATIONS = 65_536;

/** Errors that mean: the kernel has no such node or name, is not able to do this, or the mount is gone. */
const harmless: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'ENODEV', 'ENOTCONN', 'ECONNABORTED']);

export class Notifier {
  readonly #transport: Transport;
  #last: Promise<unknown> = Promise.resolve();
  #queued = 0;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Drops cached attributes, and the data from `offset` on: `length` 0 is to the end, a negative offset leaves the data alone. */
  invalidateInode(node: number, offset: bigint = 0n, length: bigint = 0n): Promise<boolean> {
    const message = new ReplyBuffer(OUT_HEADER_BYTES + 24);
    message.safeUint64(OUT_HEADER_BYTES, node);
    message.uint64(OUT_HEADER_BYTES + 8, offset);
    message.uint64(OUT_HEADER_BYTES + 16, length);
    return this.#notify(Notify.INVAL_INODE, message);
  }

  /** Drops a name from the directory's cache; `expireOnly` has it looked up anew instead, which leaves mounts and the working directory below it. */
  invalidateEntry(parent: number, name: Uint8Array, expireOnly: boolean = false): Promise<boolean> {
    const message = new ReplyBuffer(OUT_HEADER_BYTES + 16 + name.length + 1);
    message.safeUint64(OUT_HEADER_BYTES, parent);
    message.uint32(OUT_HEADER_BYTES + 8, name.length);
    message.uint32(OUT_HEADER_BYTES + 12, expireOnly ? EXPIRE_ONLY : 0);
    message.payload(OUT_HEADER_BYTES + 16, name);
    return this.#notify(Notify.INVAL_ENTRY, message, OUT_HEADER_BYTES + 16 + name.length + 1);
  }

  /** As invalidateEntry for a name that was removed: if it is still this child's, watchers are told (inotify). */
  deleteEntry(parent: number, child: number, name: Uint8Array): Promise<boolean> {
    const message = new ReplyBuffer(OUT_HEADER_BYTES + 24 + name.length + 1);
    message.safeUint64(OUT_HEADER_BYTES, parent);
    message.safeUint64(OUT_HEADER_BYTES + 8, child);
    message.uint32(OUT_HEADER_BYTES + 16, name.length);
    message.payload(OUT_HEADER_BYTES + 24, name);
    return this.#notify(Notify.DELETE, message, OUT_HEADER_BYTES + 24 + name.length + 1);
  }

  /** Puts data into the page cache of a node. */
  store(node: number, offset: bigint, data: Uint8Array): Promise<boolean> {
    const message = new ReplyBuffer(OUT_HEADER_BYTES + 24 + data.length);
    message.safeUint64(OUT_HEADER_BYTES, node);
    message.uint64(OUT_HEADER_BYTES + 8, offset);
    message.uint32(OUT_HEADER_BYTES + 16, data.length);
    return this.#notify(Notify.STORE, message, message.payload(OUT_HEADER_BYTES + 24, data));
  }

  /** Has every cached name looked up anew (from 7.44 on; refused with EINVAL before). */
  incrementEpoch(): Promise<boolean> {
    return this.#notify(Notify.INC_EPOCH, new ReplyBuffer(OUT_HEADER_BYTES));
  }

  /** Asks the kernel to forget nodes nobody uses (from 7.45 on; refused with EINVAL before). */
  prune(nodes: readonly number[]): Promise<boolean> {
    const message = new ReplyBuffer(OUT_HEADER_BYTES + 16 + nodes.length * 8);
    message.uint32(OUT_HEADER_BYTES, nodes.length);
    for (const [index, node] of nodes.entries()) message.safeUint64(OUT_HEADER_BYTES + 16 + index * 8, node);
    return this.#notify(Notify.PRUNE, message);
  }

  /** Resolves when everything asked for so far was given to the kernel. */
  async flush(): Promise<void> {
    await this.#last;
  }

  #notify(code: number, message: ReplyBuffer, lengthBytes: number = message.bytes.length): Promise<boolean> {
    if (this.#queued >= MAX_QUEUED_NOTIFICATIONS) return Promise.reject(new RangeError('Too many notifications wait'));
    this.#queued += 1;
    message.notificationHeader(lengthBytes, code);
    const sent = this.#last.then(() => this.#send(message.bytes.subarray(0, lengthBytes)));
    this.#last = sent.catch(() => {});
    return sent;
  }

  async #send(message: Uint8Array): Promise<boolean> {
    this.#queued -= 1;
    try {
      await this.#transport.notify(message);
      return true;
    } catch (error) {
      if (harmless.has((error as NodeJS.ErrnoException).code)) return false;
      throw error;
    }
  }
}
