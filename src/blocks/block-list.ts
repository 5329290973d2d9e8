/** A doubly linked list through the blocks themselves; a block is in at most one. Front is oldest. */
import type { CachedBlock } from './cached-block.ts';

export class BlockList {
  #first: CachedBlock | undefined;
  #last: CachedBlock | undefined;
  count = 0;
  /** Sum of the blocks' allocated bytes; whoever changes those of a member adjusts it. */
  sizeBytes = 0;

  get first(): CachedBlock | undefined {
    return this.#first;
  }

  /** Makes the block the newest, taking it from the list it is in. */
  append(block: CachedBlock): void {
    if (this.#last === block) return;
    block.list?.remove(block);
    block.list = this;
    block.previous = this.#last;
    if (this.#last) this.#last.next = block;
    else this.#first = block;
    this.#last = block;
    this.count += 1;
    this.sizeBytes += block.allocatedBytes;
  }

  remove(block: CachedBlock): void {
    if (block.previous) block.previous.next = block.next;
    else this.#first = block.next;
    if (block.next) block.next.previous = block.previous;
    else this.#last = block.previous;
    block.list = undefined;
    block.previous = undefined;
    block.next = undefined;
    this.count -= 1;
    this.sizeBytes -= block.allocatedBytes;
  }

  *[Symbol.iterator](): Generator<CachedBlock> {
    for (let block = this.#first; block; block = block.next) yield block;
  }
}
