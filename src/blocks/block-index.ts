/**
 * Which blocks are in the cache: by inode and block, and in three lists by state. Most files have one block, so an inode maps to the
 * block itself and only then to a map of blocks.
 */
import type { BlockIndex as BlockNumber, InodeId } from '../metadata/types.ts';
import { BlockList } from './block-list.ts';
import type { CachedBlock } from './cached-block.ts';

export class BlockIndex {
  readonly #inodes = new Map<InodeId, CachedBlock | Map<BlockNumber, CachedBlock>>();
  #entryCount = 0;
  /** In order of their last change. */
  readonly dirty: BlockList = new BlockList();
  /** In order of the epoch they wait for. */
  readonly settling: BlockList = new BlockList();
  /** In order of their last use. */
  readonly clean: BlockList = new BlockList();

  get entryCount(): number {
    return this.#entryCount;
  }

  get(inode: InodeId, block: BlockNumber): CachedBlock | undefined {
    const found = this.#inodes.get(inode);
    if (found === undefined) return undefined;
    if (found instanceof Map) return found.get(block);
    return found.block === block ? found : undefined;
  }

  add(entry: CachedBlock): void {
    const found = this.#inodes.get(entry.inode);
    if (found === undefined) this.#inodes.set(entry.inode, entry);
    else if (found instanceof Map) found.set(entry.block, entry);
    else {
      this.#inodes.set(
        entry.inode,
        new Map([
          [found.block, found],
          [entry.block, entry],
        ]),
      );
    }
    this.#entryCount += 1;
  }

  remove(entry: CachedBlock): void {
    const found = this.#inodes.get(entry.inode);
    if (found === entry) this.#inodes.delete(entry.inode);
    else if (found instanceof Map) {
      found.delete(entry.block);
      if (found.size === 0) this.#inodes.delete(entry.inode);
    }
    entry.list?.remove(entry);
    this.#entryCount -= 1;
  }

  /** The inode's cached blocks with first <= block < end, in no order; a copy. */
  ofInode(inode: InodeId, first: BlockNumber = 0, end: BlockNumber = Infinity): CachedBlock[] {
    const found = this.#inodes.get(inode);
    if (found === undefined) return [];
    if (!(found instanceof Map)) return found.block >= first && found.block < end ? [found] : [];
    const blocks: CachedBlock[] = [];
    if (end - first < found.size) {
      for (let block = first; block < end; block++) {
        const entry = found.get(block);
        if (entry) blocks.push(entry);
      }
    } else {
      for (const entry of found.values()) if (entry.block >= first && entry.block < end) blocks.push(entry);
    }
    return blocks;
  }

  *all(): Generator<CachedBlock> {
    for (const found of this.#inodes.values()) {
      if (found instanceof Map) yield* found.values();
      else yield found;
    }
  }
}
