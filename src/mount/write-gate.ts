/** Whether the mount takes changes. It does not for as long as there is a reason. */
import { type ErrnoName, FsError } from '../util/errors.ts';

/**
 * Each may come and go by itself: another machine has the file system; the store takes nothing; the local disk is full, and metadata is written
 * to what was set aside; the metadata does not fit that either.
 */
export type ReadOnlyReason = 'lost' | 'store' | 'reserve' | 'disk';

/** What is set aside on the local disk is for changes that make room. */
export type Change = 'any' | 'makes-room';

const ERRNO: Readonly<Record<ReadOnlyReason, ErrnoName>> = { lost: 'EROFS', store: 'EROFS', reserve: 'ENOSPC', disk: 'ENOSPC' };

export class WriteGate {
  readonly #reasons = new Map<ReadOnlyReason, string>();

  /** Why the mount takes no changes; undefined if it does. */
  get readOnlyBecause(): string | undefined {
    return this.#reasons.values().next().value;
  }

  isClosed(reason: ReadOnlyReason): boolean {
    return this.#reasons.has(reason);
  }

  close(reason: ReadOnlyReason, message: string): void {
    this.#reasons.set(reason, message);
  }

  open(reason: ReadOnlyReason): void {
    this.#reasons.delete(reason);
  }

  /** @throws FsError EROFS, ENOSPC */
  requireOpen(change: Change = 'any'): void {
    if (this.#reasons.size === 0) return;
    for (const [reason, message] of this.#reasons) {
      if (reason !== 'reserve' || change !== 'makes-room') throw new FsError(ERRNO[reason], message);
    }
  }
}
