/**
 * Notices readers that go through a file in order and fetches the blocks that they will want next. The window doubles with every block
 * up to a limit and closes when the reader jumps.
 */
import type { BlockIndex as BlockNumber, InodeId } from '../metadata/types.ts';
import type { BlockDatabase } from './block-cache-options.ts';
import type { BlockIndex } from './block-index.ts';
import type { CacheSpace } from './cache-space.ts';
import type { CachedReads } from './cached-reads.ts';
import type { Downloads } from './downloads.ts';

/** Readers that are remembered. */
const MAX_READERS = 1024;
/** The kernel's own read-ahead may send requests in another order. */
const SLACK_BYTES = 1024 * 1024;
/** Rows looked up at once. */
const MAX_WINDOW_BLOCKS = 256;

interface Reader {
  readonly inode: InodeId;
  nextOffset: number;
  /** Reads in order so far. */
  runLength: number;
  lastBlock: BlockNumber;
  windowBlocks: number;
  /** Blocks before this one were asked for. */
  frontier: BlockNumber;
}

export interface ReadAheadParts {
  readonly index: BlockIndex;
  readonly space: CacheSpace;
  readonly downloads: Downloads;
  readonly database: BlockDatabase;
  readonly fetched: Pick<CachedReads, 'install'>;
  readonly blockSizeBytes: number;
  readonly maxBytes: number;
  /** Called after the cache grew. */
  readonly onGrowth: () => void;
}

export class ReadAhead {
  readonly #parts: ReadAheadParts;
  /** In order of last use. */
  readonly #readers = new Map<number, Reader>();

  constructor(parts: ReadAheadParts) {
    this.#parts = parts;
  }

  /** A read of [offset, offset + lengthBytes) through the handle. */
  noteRead(handle: number, inode: InodeId, offset: number, lengthBytes: number, fileSize: bigint): void {
    const end = offset + lengthBytes;
    const lastBlock = Math.floor((end - 1) / this.#parts.blockSizeBytes);
    const reader = this.#readers.get(handle);
    if (reader?.inode !== inode || Math.abs(offset - reader.nextOffset) > SLACK_BYTES) {
      this.#readers.delete(handle);
      this.#readers.set(handle, { inode, nextOffset: end, runLength: 0, lastBlock, windowBlocks: 0, frontier: lastBlock + 1 });
      if (this.#readers.size > MAX_READERS) for (const oldest of this.#readers.keys()) return void this.#readers.delete(oldest);
      return;
    }
    reader.nextOffset = Math.max(reader.nextOffset, end);
    reader.runLength += 1;
    if (reader.windowBlocks > 0 && lastBlock <= reader.lastBlock) return;
    reader.lastBlock = Math.max(reader.lastBlock, lastBlock);
    const maxBlocks = this.#maxWindowBlocks();
    reader.windowBlocks = Math.min(Math.max(1, reader.windowBlocks * 2), maxBlocks);
    this.#readers.delete(handle);
    this.#readers.set(handle, reader);
    this.#fetch(handle, reader, fileSize);
  }

  /** What is fetched ahead must fit beside what is dirty, with room to spare. */
  #maxWindowBlocks(): number {
    const { space, index, maxBytes, blockSizeBytes } = this.#parts;
    const roomBytes = (Math.max(0, space.availableBytes) + index.clean.sizeBytes) / 2;
    return Math.min(MAX_WINDOW_BLOCKS, Math.floor(Math.min(maxBytes, roomBytes) / blockSizeBytes));
  }

  #fetch(handle: number, reader: Reader, fileSize: bigint): void {
    const { database, index, downloads, fetched, blockSizeBytes, onGrowth } = this.#parts;
    const fileBlocks = Math.ceil(Number(fileSize) / blockSizeBytes);
    const first = Math.max(reader.frontier, reader.lastBlock + 1);
    const end = Math.min(reader.lastBlock + 1 + reader.windowBlocks, fileBlocks);
    if (first >= end) return;
    reader.frontier = end;
    const { inode } = reader;
    for (const row of database.blocks.range(inode, first, end, end - first)) {
      if (index.get(inode, row.block)) continue;
      const wanted = (): boolean => this.#readers.get(handle) === reader && row.block > reader.lastBlock;
      downloads.prefetch({ inode, block: row.block }, row, wanted)?.then(
        (bytes) => {
          fetched.install(inode, row.block, row.objectId, bytes);
          onGrowth();
        },
        // Cancelled, or failed: whoever really reads the block sees the error.
        () => undefined,
      );
    }
  }
}
