/** Whether the mount takes changes. It is read-only for as long as there is a reason. */
import { FsError } from '../util/errors.ts';

/** Each may come and go by itself. */
export type ReadOnlyReason = 'lost' | 'store';

export class WriteGate {
  readonly #reasons = new Map<ReadOnlyReason, string>();

  /** Why the mount is read-only; undefined if it is not. */
  get readOnlyBecause(): string | undefined {
    return this.#reasons.values().next().value;
  }

  close(reason: ReadOnlyReason, message: string): void {
    this.#reasons.set(reason, message);
  }

  open(reason: ReadOnlyReason): void {
    this.#reasons.delete(reason);
  }

  /** @throws FsError EROFS */
  requireOpen(): void {
    if (this.#reasons.size > 0) throw new FsError('EROFS', this.readOnlyBecause);
  }
}
