/**
 * Files whose truncation takes several slices, and so perhaps several transactions: a crash in between leaves blocks behind the end of the
 * file, which would show if it grew. The file `truncations` names their inodes, one a line, durably before the first of the transactions; the next
 * mount takes away what such files have behind their ends. Nothing lies there otherwise, so a name too many does no harm.
 */
import { closeSync, constants, fdatasync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Epoch } from '../metadata/database.ts';
import type { InodeId } from '../metadata/types.ts';
import type { BlockDatabase } from './block-cache-options.ts';
import { BLOCKS_PER_SLICE, nextSlice } from './block-ranges.ts';
import { syncDirectory } from './segment-sync.ts';

/** Beyond any block of any file. */
const END_OF_BLOCKS = Number.MAX_SAFE_INTEGER;

export interface TruncationJournalOptions {
  readonly path: string;
  readonly database: BlockDatabase;
  readonly blockSizeBytes: number;
}

export class TruncationJournal implements Disposable {
  readonly #options: TruncationJournalOptions;
  readonly #fd: number;
  #lengthBytes: number;
  #syncedBytes: number;
  #openCount = 0;
  /** The epoch in which the last truncation came to its end. */
  #endEpoch: Epoch;

  private constructor(options: TruncationJournalOptions, fd: number, lengthBytes: number) {
    this.#options = options;
    this.#fd = fd;
    this.#lengthBytes = lengthBytes;
    this.#syncedBytes = lengthBytes;
    // Their names stay until what is done for them now is durable.
    this.#endEpoch = options.database.openEpoch;
  }

  /** Carries out in the open transaction what the last session began. */
  static async open(options: TruncationJournalOptions): Promise<TruncationJournal> {
    const fd = openSync(options.path, constants.O_RDWR | constants.O_CREAT, 0o600);
    const text = readFileSync(fd, 'latin1');
    const lengthBytes = text.lastIndexOf('\n') + 1;
    if (text === '') await syncDirectory(dirname(options.path));
    for (const inode of new Set(text.slice(0, lengthBytes).split('\n').slice(0, -1).map(Number))) {
      if (Number.isSafeInteger(inode)) await finish(options, inode as InodeId);
    }
    return new TruncationJournal(options, fd, lengthBytes);
  }

  /** To be called in the step in which the file gets its new size; returns what is to be called when all blocks are gone. */
  begin(inode: InodeId): () => void {
    this.#write(`${inode}\n`);
    this.#openCount += 1;
    return () => {
      this.#openCount -= 1;
      this.#endEpoch = this.#options.database.openEpoch;
    };
  }

  /** Whether the next epoch must not become durable before `sync`. */
  get isUnsynced(): boolean {
    return this.#syncedBytes < this.#lengthBytes;
  }

  async sync(): Promise<void> {
    if (!this.isUnsynced) return;
    const lengthBytes = this.#lengthBytes;
    await promisify(fdatasync)(this.#fd);
    this.#syncedBytes = Math.max(this.#syncedBytes, lengthBytes);
  }

  epochDurable(epoch: Epoch): void {
    if (this.#openCount > 0 || this.#lengthBytes === 0 || epoch < this.#endEpoch) return;
    ftruncateSync(this.#fd, 0);
    this.#lengthBytes = 0;
    this.#syncedBytes = 0;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #write(text: string): void {
    this.#lengthBytes += writeSync(this.#fd, text, this.#lengthBytes, 'latin1');
  }
}

async function finish({ database, blockSizeBytes }: TruncationJournalOptions, inode: InodeId): Promise<void> {
  const size = database.inodes.get(inode)?.size;
  // Without the inode its blocks are an orphan's, which is purged.
  if (size === undefined) return;
  const first = Number((size + BigInt(blockSizeBytes) - 1n) / BigInt(blockSizeBytes));
  while (database.blocks.unlink(inode, first, END_OF_BLOCKS, BLOCKS_PER_SLICE) === BLOCKS_PER_SLICE) await nextSlice();
}
