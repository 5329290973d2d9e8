/** Byte ranges of files as ranges of blocks. Offsets go up to 2^63, block numbers stay below 2^53 (blocks have at least 1 KiB). */
import type { BlockIndex } from '../metadata/types.ts';

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

export interface BlockOffset {
  readonly block: BlockIndex;
  /** Offset in the block, in bytes. */
  readonly within: number;
}

export function locate(offset: bigint, blockSizeBytes: number): BlockOffset {
  if (offset <= MAX_SAFE) {
    const position = Number(offset);
    const block = Math.floor(position / blockSizeBytes);
    return { block, within: position - block * blockSizeBytes };
  }
  const size = BigInt(blockSizeBytes);
  return { block: Number(offset / size), within: Number(offset % size) };
}

/** Work on ranges of many blocks lets other things happen after so many. */
export const BLOCKS_PER_SLICE = 512;

/** Resolves after what is waiting on the event loop had its turn. */
export function nextSlice(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setImmediate(resolve);
  return promise;
}
