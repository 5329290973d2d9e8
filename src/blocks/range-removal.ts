/**
 * Takes ranges out of files: truncate, punch, remove. What lies in whole blocks is given up, in slices; the rest is changed in place.
 */
import type { BlockIndex as BlockNumber, InodeId } from '../metadata/types.ts';
import type { BlockWaiter } from './block-cache.ts';
import type { BlockDatabase } from './block-cache-options.ts';
import type { BlockIndex } from './block-index.ts';
import { BLOCKS_PER_SLICE, locate, nextSlice } from './block-ranges.ts';
import type { BlockStates } from './block-states.ts';
import { type CachedBlock } from './cached-block.ts';
import type { CachedWrites } from './cached-writes.ts';
import type { RemovalQueue } from './removal-queue.ts';
import type { TruncationJournal } from './truncation-journal.ts';

/** Beyond any block of any file: 2^63 bytes in blocks of 1 KiB. */
const END_OF_BLOCKS = Number.MAX_SAFE_INTEGER;

export interface RangeRemovalParts {
  readonly index: BlockIndex;
  readonly states: BlockStates;
  readonly writes: CachedWrites;
  readonly removals: RemovalQueue;
  readonly truncations: TruncationJournal;
  readonly database: BlockDatabase;
  readonly blockSizeBytes: number;
}

export class RangeRemoval {
  readonly #parts: RangeRemovalParts;

  constructor(parts: RangeRemovalParts) {
    this.#parts = parts;
  }

  /** `applied` is called in the step in which the bytes (of a huge file: the first of them) go. */
  truncate(inode: InodeId, size: bigint, applied: () => void = () => {}, waiter?: BlockWaiter): void | Promise<void> {
    const { writes, states } = this.#parts;
    const { block, within } = locate(size, this.#parts.blockSizeBytes);
    const first = within === 0 ? block : block + 1;
    const giveUpRest = (): void | Promise<void> => {
      applied();
      const rest = this.giveUp(inode, first, END_OF_BLOCKS, false);
      if (!rest) return undefined;
      const end = this.#parts.truncations.begin(inode);
      return rest.then(end);
    };
    if (within === 0 || this.#lengthOf(inode, block) <= within) return giveUpRest();
    let rest: void | Promise<void> | undefined;
    let done = false;
    const cut = writes.changeBlock(
      inode,
      block,
      (entry) => {
        states.cut(entry, within);
        done = true;
        rest = giveUpRest();
        return 0;
      },
      waiter,
    );
    // The block may have gone while it was being fetched: then there is nothing to cut.
    return cut ? cut.then(() => (done ? rest : giveUpRest())) : rest;
  }

  punch(inode: InodeId, offset: bigint, lengthBytes: bigint): void | Promise<void> {
    if (lengthBytes <= 0n) return undefined;
    const { blockSizeBytes } = this.#parts;
    const from = locate(offset, blockSizeBytes);
    const to = locate(offset + lengthBytes, blockSizeBytes);
    if (from.block === to.block) return this.#zero(inode, from.block, from.within, to.within);
    return this.#inOrder([
      () => (from.within > 0 ? this.#zero(inode, from.block, from.within, blockSizeBytes) : undefined),
      () => (to.within > 0 ? this.#zero(inode, to.block, 0, to.within) : undefined),
      () => this.giveUp(inode, from.within > 0 ? from.block + 1 : from.block, to.block, false),
    ]);
  }

  remove(inode: InodeId): void | Promise<void> {
    return this.giveUp(inode, 0, END_OF_BLOCKS, true);
  }

  /** Runs the steps one after the other, synchronously as far as they are. */
  #inOrder(steps: readonly (() => void | Promise<void>)[]): void | Promise<void> {
    const [step, ...rest] = steps;
    if (!step) return undefined;
    const waiting = step();
    return waiting ? waiting.then(() => this.#inOrder(rest)) : this.#inOrder(rest);
  }

  /** Gives up whole blocks, first <= block < end. */
  giveUp(inode: InodeId, first: BlockNumber, end: BlockNumber, inodeGone: boolean): void | Promise<void> {
    if (first >= end) return undefined;
    const entries = this.#parts.index.ofInode(inode, first, end);
    if (entries.length <= BLOCKS_PER_SLICE && this.#giveUpSlice(inode, first, end, entries, inodeGone)) return undefined;
    return this.#giveUpInSlices(inode, first, end, entries, inodeGone);
  }

  async #giveUpInSlices(
    inode: InodeId,
    first: BlockNumber,
    end: BlockNumber,
    entries: readonly CachedBlock[],
    inodeGone: boolean,
  ): Promise<void> {
    let at = 0;
    for (;;) {
      await nextSlice();
      const done = this.#giveUpSlice(inode, first, end, entries.slice(at, at + BLOCKS_PER_SLICE), inodeGone);
      at += BLOCKS_PER_SLICE;
      if (done && at >= entries.length) return;
    }
  }

  /** Returns whether no rows are left in the range. */
  #giveUpSlice(inode: InodeId, first: BlockNumber, end: BlockNumber, entries: readonly CachedBlock[], inodeGone: boolean): boolean {
    const { states, database, removals } = this.#parts;
    for (const entry of entries) if (entry.state !== 'gone') states.giveUp(entry, inodeGone);
    const removed = database.blocks.unlink(inode, first, end, BLOCKS_PER_SLICE);
    if (removed > 0) removals.collect();
    return removed < BLOCKS_PER_SLICE;
  }

  /** The bytes [from, end) of the block are zeros from now on. */
  #zero(inode: InodeId, block: BlockNumber, from: number, end: number): Promise<void> | undefined {
    const { writes, states } = this.#parts;
    if (this.#lengthOf(inode, block) <= from) return undefined;
    return writes.changeBlock(inode, block, (entry) =>
      states.zero(entry, from, end) ? 0 : entry.growthBytes(from, Math.min(end, entry.lengthBytes)),
    );
  }

  #lengthOf(inode: InodeId, block: BlockNumber): number {
    return (this.#parts.index.get(inode, block) ?? this.#parts.database.blocks.get(inode, block))?.lengthBytes ?? 0;
  }
}
