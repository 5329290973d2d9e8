/** Whether the mount takes changes. It does not for as long as there is a reason. */
import { type ErrnoName, FsError } from '../util/errors.ts';

/** Each may come and go by itself: another machine has the file system; the store takes nothing; the metadata does not fit the local disk. */
export type ReadOnlyReason = 'lost' | 'store' | 'disk';

const ERRNO: Readonly<Record<ReadOnlyReason, ErrnoName>> = { lost: 'EROFS', store: 'EROFS', disk: 'ENOSPC' };

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
  requireOpen(): void {
    if (this.#reasons.size === 0) return;
    for (const [reason, message] of this.#reasons) throw new FsError(ERRNO[reason], message);
  }
}
