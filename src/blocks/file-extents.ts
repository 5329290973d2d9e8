/** Where a file has data: what is stored and what is only in the cache, seen together. */
import type { BlockIndex as BlockNumber, InodeId } from '../metadata/types.ts';
import type { BlockDatabase } from './block-cache-options.ts';
import type { BlockIndex } from './block-index.ts';
import { locate } from './block-ranges.ts';

const END_OF_BLOCKS = Number.MAX_SAFE_INTEGER;
const ROWS_AT_ONCE = 256;

export class FileExtents {
  readonly #index: BlockIndex;
  readonly #database: BlockDatabase;
  readonly #blockSizeBytes: number;

  constructor(index: BlockIndex, database: BlockDatabase, blockSizeBytes: number) {
    this.#index = index;
    this.#database = database;
    this.#blockSizeBytes = blockSizeBytes;
  }

  seekData(inode: InodeId, offset: bigint): bigint | undefined {
    const { block } = locate(offset, this.#blockSizeBytes);
    let found = this.#database.blocks.range(inode, block, END_OF_BLOCKS, 1)[0]?.block ?? Infinity;
    if (found > block) for (const entry of this.#index.ofInode(inode, block)) found = Math.min(found, entry.block);
    if (found === Infinity) return undefined;
    const start = this.#offsetOf(found);
    return start > offset ? start : offset;
  }

  seekHole(inode: InodeId, offset: bigint): bigint {
    const { block } = locate(offset, this.#blockSizeBytes);
    let next = block;
    let rows: readonly { readonly block: BlockNumber }[] = [];
    let at = 0;
    for (;;) {
      if (at === rows.length) {
        rows = this.#database.blocks.range(inode, next, END_OF_BLOCKS, ROWS_AT_ONCE);
        at = 0;
      }
      if (rows[at]?.block === next) at += 1;
      else if (!this.#index.get(inode, next)) break;
      else rows = rows.slice(at);
      next += 1;
    }
    return next === block ? offset : this.#offsetOf(next);
  }

  allocatedBytes(inode: InodeId): bigint {
    let bytes = this.#database.blocks.usage(inode).lengthBytes;
    for (const entry of this.#index.ofInode(inode)) {
      if (entry.state !== 'dirty') continue;
      const storedBytes = this.#database.blocks.get(inode, entry.block)?.lengthBytes ?? 0;
      bytes += BigInt(entry.lengthBytes - storedBytes);
    }
    return bytes;
  }

  #offsetOf(block: BlockNumber): bigint {
    return BigInt(block) * BigInt(this.#blockSizeBytes);
  }
}
