/**
 * The one open transaction of the metadata database: it begins with the first change, and ends with `commit`, which numbers the state
 * (epoch). Every statement that changes something is preceded by `change()`.
 *
 * Invariants:
 * - `ROLLBACK` is never issued: what callers were told has happened stays, until COMMIT writes it to the WAL;
 * - SQLite rolls the transaction back by itself when COMMIT fails, so COMMIT is tried only when the disk has room for the most it can
 *   write. If it fails all the same, the state in memory is lost, and the connection is closed: nothing may be built upon it;
 * - participants keep state in memory beside the tables; `atomic` takes it back together with the tables.
 */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { FsError } from '../util/errors.ts';
import { prepareRows, type RowStatement } from './connection.ts';
import type { Epoch } from './database.ts';
import { PAGE_SIZE_BYTES } from './schema.ts';

/** State in memory that must follow the tables when `atomic` takes changes back. */
export interface Participant {
  /** Something to restore the present state from. */
  mark(): unknown;
  /** Back to the state of the mark. The tables are rolled back already. */
  rollback(mark: unknown): void;
  /** Marks taken so far will not be used any more. */
  release(): void;
  /** The tables must be complete: the transaction is about to be committed. */
  beforeCommit(): void;
}

/** Frame of the WAL: header and page. */
export const WAL_FRAME_BYTES: number = 24 + PAGE_SIZE_BYTES;
/** A changed row changes no more pages than this, on average over a transaction (leaf and index leaf, now and then a split). */
const PAGES_PER_CHANGE = 3;
/** Room a commit leaves on the disk beyond its own needs, e.g. for the WAL's index. */
const DISK_RESERVE_BYTES = 2 * 1024 * 1024;

const SQLITE_FULL = 13;

export class Transaction {
  readonly #connection: DatabaseSync;
  readonly #path: string;
  readonly #availableBytes: (path: string) => number;
  readonly #participants: Participant[] = [];
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #savepoint: StatementSync;
  readonly #release: StatementSync;
  readonly #rollbackTo: StatementSync;
  readonly #pageCount: RowStatement<[number]>;
  #open = false;
  #lost = false;
  #changeCount = 0;
  #epoch: Epoch = 0;
  /** Calls of `atomic` under way, and how many of them have a savepoint: the outermost `#savepointCount` ones. */
  #depth = 0;
  #savepointCount = 0;

  /** `availableBytes` tells how much can be written to the WAL of a database. */
  constructor(connection: DatabaseSync, path: string, availableBytes: (path: string) => number) {
    this.#connection = connection;
    this.#path = path;
    this.#availableBytes = availableBytes;
    this.#begin = connection.prepare('BEGIN IMMEDIATE');
    this.#commit = connection.prepare('COMMIT');
    this.#savepoint = connection.prepare('SAVEPOINT atomic');
    this.#release = connection.prepare('RELEASE atomic');
    this.#rollbackTo = connection.prepare('ROLLBACK TO atomic');
    this.#pageCount = prepareRows(connection, 'PRAGMA page_count');
  }

  join(participant: Participant): void {
    this.#participants.push(participant);
  }

  /** Whether changes may have to be taken back. */
  get inAtomic(): boolean {
    return this.#depth > 0;
  }

  get changeCount(): number {
    return this.#changeCount;
  }

  /** Epoch of the last commit. */
  get committedEpoch(): Epoch {
    return this.#epoch;
  }

  /**
   * To be called before anything is changed, in the tables or in a participant; `rowCount` rows, or pages where rows are large.
   * @throws FsError EIO after a lost transaction
   */
  change(rowCount: number = 1): void {
    if (!this.#open) {
      if (this.#lost) throw new FsError('EIO', 'the metadata transaction was lost by a failed commit');
      this.#begin.run();
      this.#open = true;
    }
    while (this.#savepointCount < this.#depth) {
      this.#savepoint.run();
      this.#savepointCount++;
    }
    this.#changeCount += rowCount;
  }

  /** Runs `operation` so that its changes happen all or not at all if it throws. Nests. */
  atomic<T>(operation: () => T): T {
    const marks = this.#participants.map((participant) => participant.mark());
    this.#depth++;
    try {
      const result = operation();
      this.#leave();
      return result;
    } catch (error) {
      this.#undo(marks);
      throw error;
    }
  }

  /** Ends the open transaction, if any. @throws FsError ENOSPC (the transaction stays open: free space, try again), EIO (it is lost) */
  commit(): Epoch {
    if (this.#depth > 0) throw new Error('commit inside atomic');
    if (!this.#open) return this.#epoch;
    for (const participant of this.#participants) participant.beforeCommit();
    this.#requireRoom();
    try {
      this.#commit.run();
    } catch (error) {
      if (this.#connection.isTransaction) throw commitError(error);
      this.#lost = true;
      this.#open = false;
      this.#connection.close();
      throw new FsError('EIO', 'the metadata transaction was lost by a failed commit', { cause: error });
    }
    this.#open = false;
    this.#changeCount = 0;
    return ++this.#epoch;
  }

  #leave(): void {
    if (this.#savepointCount === this.#depth) {
      this.#release.run();
      this.#savepointCount--;
    }
    this.#depth--;
    if (this.#depth === 0) for (const participant of this.#participants) participant.release();
  }

  // The changes stay counted: the pages they touched are written by the commit all the same.
  #undo(marks: unknown[]): void {
    if (this.#savepointCount === this.#depth) this.#rollbackTo.run();
    this.#participants.forEach((participant, index) => participant.rollback(marks[index]));
    this.#leave();
  }

  #requireRoom(): void {
    const pageCount = this.#pageCount.get()?.[0] ?? 0;
    const pages = Math.min(this.#changeCount * PAGES_PER_CHANGE, pageCount) + 8;
    const neededBytes = pages * WAL_FRAME_BYTES + DISK_RESERVE_BYTES;
    const availableBytes = this.#availableBytes(this.#path);
    if (availableBytes < neededBytes) {
      throw new FsError('ENOSPC', `metadata commit may need ${neededBytes} bytes, the disk of ${this.#path} has ${availableBytes}`);
    }
  }
}

/** What the disk of a file has left for us. */
export function availableOnDisk(path: string): number {
  const disk = statfsSync(dirname(path));
  return disk.bavail * disk.bsize;
}

function commitError(error: unknown): FsError {
  const full = (error as { errcode?: number }).errcode === SQLITE_FULL;
  return new FsError(full ? 'ENOSPC' : 'EIO', 'metadata commit failed', { cause: error });
}
