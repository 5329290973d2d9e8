/** What a check run found: every finding is logged as one line and counted by its check. */
import { logger } from '../util/log.ts';

const log = logger('fsck');

export class Findings {
  readonly #counts = new Map<string, number>();
  #uncorrectableCount = 0;

  /** Something was wrong, and has been repaired. `message` is one line without a full stop. */
  repaired(check: string, message: string): void {
    this.#count(check);
    log.warn('%s', message);
  }

  /** Something is wrong and stays so. */
  uncorrectable(check: string, message: string): void {
    this.#count(check);
    this.#uncorrectableCount += 1;
    log.error('%s', message);
  }

  /** All findings, by check. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  get total(): number {
    let total = 0;
    for (const count of this.#counts.values()) total += count;
    return total;
  }

  get uncorrectableCount(): number {
    return this.#uncorrectableCount;
  }

  #count(check: string): void {
    this.#counts.set(check, (this.#counts.get(check) ?? 0) + 1);
  }
}
