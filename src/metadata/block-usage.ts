/**
 * How many blocks large files have, and how long these are together: every stat(2) asks, and counting the rows of a file of a million
 * blocks takes a second. Counted once, then adjusted; small files are counted each time.
 */
import type { Participant } from './transaction.ts';
import { TwoGenerationMap } from './two-generation-map.ts';
import type { InodeId } from './types.ts';

export interface BlockUsage {
  readonly blockCount: number;
  readonly lengthBytes: bigint;
}

/** Files with fewer rows are cheap to count. */
const REMEMBERED_BLOCK_COUNT = 32;
const GENERATION_SIZE = 1024;

export class BlockUsageCache implements Participant {
  readonly #usage = new TwoGenerationMap<InodeId, BlockUsage>(GENERATION_SIZE);

  get(inode: InodeId, count: () => BlockUsage): BlockUsage {
    const known = this.#usage.get(inode);
    if (known !== undefined) return known;
    const counted = count();
    if (counted.blockCount >= REMEMBERED_BLOCK_COUNT) this.#usage.set(inode, counted);
    return counted;
  }

  adjust(inode: InodeId, blockCount: number, lengthBytes: number): void {
    const known = this.#usage.get(inode);
    if (known === undefined) return;
    if (known.blockCount + blockCount === 0) this.#usage.delete(inode);
    else this.#usage.set(inode, { blockCount: known.blockCount + blockCount, lengthBytes: known.lengthBytes + BigInt(lengthBytes) });
  }

  mark(): undefined {}

  rollback(): void {
    this.#usage.clear();
  }

  release(): void {}

  beforeCommit(): void {}
}
