/**
 * The metadata database of a mounted file system: one connection, one open transaction, the tables and their caches.
 *
 * All methods but `syncCommitted` are synchronous; what a caller does between two awaits is seen by nobody half done. Dispose after the
 * last use; a transaction that was not committed is lost then.
 */
import { closeSync, openSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { SqliteBlockTable } from './block-table.ts';
import { openConnection, prepareRows, type RowStatement } from './connection.ts';
import type {
  BlockTable,
  CopiedRange,
  EntryTable,
  Epoch,
  InodeTable,
  MetadataDatabase,
  MetadataTotals,
  SymlinkTable,
  XattrTable,
} from './database.ts';
import { SqliteEntryTable } from './entry-table.ts';
import { FileCopies } from './file-copies.ts';
import { SqliteInodeTable } from './inode-table.ts';
import { NameTable } from './name-table.ts';
import { ObjectTable } from './object-table.ts';
import { PAGE_SIZE_BYTES } from './schema.ts';
import { SqliteSymlinkTable } from './symlink-table.ts';
import { type Figures, Totals } from './totals.ts';
import { availableOnDisk, Transaction, WAL_FRAME_BYTES } from './transaction.ts';
import { WalLimit } from './wal-limit.ts';
import { WalReserve } from './wal-reserve.ts';
import { WalSync } from './wal-sync.ts';
import { SqliteXattrTable } from './xattr-table.ts';

const WAL_HEADER_BYTES = 32;

export interface SqliteMetadataOptions {
  /** Page cache; default MAIN_CACHE_BYTES. */
  readonly cacheBytes?: number;
  /** Bytes that can still be written to the disk of a file; default: as the kernel says. */
  readonly availableBytes?: (path: string) => number;
  /** Sets disk space aside for commits when the disk is full; default: none. */
  readonly reserve?: boolean;
}

export class SqliteMetadata implements MetadataDatabase {
  readonly path: string;
  readonly inodes: InodeTable;
  readonly entries: EntryTable;
  readonly symlinks: SymlinkTable;
  readonly xattrs: XattrTable;
  readonly blocks: BlockTable;
  /**
   * Descriptor of the database file, for reading it while checkpoints are held. Opened before SQLite takes locks on the file and closed
   * after it gave them up, because closing any descriptor of a file drops all POSIX locks that the process has on it.
   */
  readonly fileDescriptor: number;
  readonly #connection: DatabaseSync;
  readonly #transaction: Transaction;
  readonly #inodeTable: SqliteInodeTable;
  readonly #fileCopies: FileCopies;
  readonly #totals: Totals;
  readonly #walSync: WalSync;
  readonly #walLimit: WalLimit;
  readonly #reserve: WalReserve | undefined;
  readonly #pageCount: RowStatement<[number]>;
  #disposed = false;

  /** Opens an existing database; `createDatabase` makes a new one. */
  constructor(path: string, options: SqliteMetadataOptions = {}) {
    this.path = path;
    this.fileDescriptor = openSync(path, 'r');
    try {
      this.#connection = openConnection(path, options);
    } catch (error) {
      closeSync(this.fileDescriptor);
      throw error;
    }
    const connection = this.#connection;
    const { availableBytes = availableOnDisk } = options;
    this.#transaction = new Transaction(connection, path, (file) => availableBytes(file) + (this.#reserve?.leftBytes(this.#walEnd) ?? 0));
    this.#totals = new Totals(connection);
    this.#transaction.join(this.#totals);
    const names = new NameTable(connection);
    this.#inodeTable = new SqliteInodeTable(connection, this.#transaction, this.#totals);
    this.inodes = this.#inodeTable;
    this.entries = new SqliteEntryTable(connection, this.#transaction, this.#totals, this.#inodeTable, names);
    this.symlinks = new SqliteSymlinkTable(connection, this.#transaction);
    this.xattrs = new SqliteXattrTable(connection, this.#transaction, names);
    const objects = new ObjectTable(connection, this.#transaction, this.#totals);
    this.blocks = new SqliteBlockTable(connection, this.#transaction, objects);
    this.#fileCopies = new FileCopies(connection, this.#transaction, this.#totals, this.#inodeTable, objects);
    this.#walSync = new WalSync(path, () => this.#transaction.committedEpoch);
    this.#walLimit = new WalLimit(connection);
    this.#pageCount = prepareRows(connection, 'PRAGMA page_count');
    this.#reserve = options.reserve === true ? new WalReserve(path) : undefined;
    this.#reserve?.refill(this.#walEnd);
  }

  get openEpoch(): Epoch {
    return this.#transaction.committedEpoch + 1;
  }

  get pendingChangeCount(): number {
    return this.#transaction.changeCount;
  }

  atomic<T>(operation: () => T): T {
    return this.#transaction.atomic(operation);
  }

  copyFiles(range: CopiedRange): void {
    this.#fileCopies.copy(range);
  }

  commit(): Epoch {
    const epoch = this.#transaction.commit();
    this.#walLimit.afterCommit();
    this.#reserve?.refill(this.#walEnd);
    if (this.onReserve) {
      this.#walLimit.restart();
      this.#reserve?.refill(this.#walEnd);
    }
    return epoch;
  }

  get onReserve(): boolean {
    return this.#reserve?.isWhole === false;
  }

  syncCommitted(): Promise<Epoch> {
    return this.#walSync.sync();
  }

  totals(): MetadataTotals {
    const figures = this.#totals.get(() => this.#inodeTable.flush());
    return { ...figures, databaseSizeBytes: (this.#pageCount.get()?.[0] ?? 0) * PAGE_SIZE_BYTES };
  }

  /** Spares `totals` its counting. `atOpening`: what another connection counted before the first commit; afterwards it is ignored. */
  primeTotals(atOpening: Figures): void {
    if (this.#transaction.committedEpoch === 0) this.#totals.prime(atOpening);
  }

  /** Frames of the WAL that were not in the database file yet at the last commit. */
  get uncheckpointedFrames(): number {
    return this.#walLimit.uncheckpointedFrames;
  }

  /** Whether a commit now, shortly after a checkpoint of everything committed before, would let a long WAL start anew. */
  get walRestartDue(): boolean {
    return this.#walLimit.restartDue;
  }

  /** From now until the result is disposed, this connection does not write to the database file, only to the WAL. */
  holdCheckpoints(): Disposable {
    return this.#walLimit.hold();
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#walSync[Symbol.dispose]();
    if (this.#connection.isOpen) this.#connection.close();
    this.#reserve?.[Symbol.dispose]();
    closeSync(this.fileDescriptor);
  }

  /** Where the next frame goes. */
  get #walEnd(): number {
    return WAL_HEADER_BYTES + this.#walLimit.framesBefore * WAL_FRAME_BYTES;
  }
}
