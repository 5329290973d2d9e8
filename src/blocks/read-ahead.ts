/**
 * Notices readers that go through a file in order and fetches the blocks that they will want next: from the store, or, if they are cached, from
 * the local disk, so that reading them need not wait for it. The window doubles with every block up to a limit and closes when the reader jumps.
 */
import type { BlockIndex as BlockNumber, InodeId, StoredBlock } from '../metadata/types.ts';
import type { BlockDatabase } from './block-cache-options.ts';
import type { BlockIndex } from './block-index.ts';
import type { CacheSpace } from './cache-space.ts';
import type { CachedReads } from './cached-reads.ts';
import type { Downloads } from './downloads.ts';
import type { SegmentStore } from './segment-store.ts';

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
  readonly store: Pick<SegmentStore, 'willNeed'>;
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

  /** Fetches the first block of a file that somebody will read soon; has it read from the local disk if it is cached. */
  fetchFirst(inode: InodeId, wanted: () => boolean): void {
    const { index, store, database } = this.#parts;
    const entry = index.get(inode, 0);
    if (entry) return store.willNeed(entry);
    const row = database.blocks.get(inode, 0);
    if (row && this.#maxWindowBlocks() > 0) this.#fetchBlock(inode, 0, row, wanted);
  }

  /** What is fetched ahead must fit beside what is dirty, with room to spare. */
  #maxWindowBlocks(): number {
    const { space, index, maxBytes, blockSizeBytes } = this.#parts;
    const roomBytes = (Math.max(0, space.availableBytes) + index.clean.sizeBytes) / 2;
    return Math.min(MAX_WINDOW_BLOCKS, Math.floor(Math.min(maxBytes, roomBytes) / blockSizeBytes));
  }

  #fetch(handle: number, reader: Reader, fileSize: bigint): void {
    const { database, index, store, blockSizeBytes } = this.#parts;
    const fileBlocks = Math.ceil(Number(fileSize) / blockSizeBytes);
    const first = Math.max(reader.frontier, reader.lastBlock + 1);
    const end = Math.min(reader.lastBlock + 1 + reader.windowBlocks, fileBlocks);
    if (first >= end) return;
    reader.frontier = end;
    const { inode } = reader;
    for (const entry of index.ofInode(inode, first, end)) store.willNeed(entry);
    for (const row of database.blocks.range(inode, first, end, end - first)) {
      if (index.get(inode, row.block)) continue;
      this.#fetchBlock(inode, row.block, row, () => this.#readers.get(handle) === reader && row.block > reader.lastBlock);
    }
  }

  #fetchBlock(inode: InodeId, block: BlockNumber, row: StoredBlock, wanted: () => boolean): void {
    const { downloads, fetched, onGrowth } = this.#parts;
    const install = (bytes: Uint8Array): void => {
      fetched.install(inode, block, row.objectId, bytes);
      onGrowth();
    };
    downloads.prefetch({ inode, block }, row, install, wanted);
  }
}
