/**
 * Write-behind cache of rows of `inodes`. WRITE requests change size and times all the time; here that costs an assignment, and the row
 * is written once before the commit.
 *
 * An entry has the record that callers get and change, and, if dirty, a copy of it made by the last `update`: what is written to the table,
 * and what remains if `atomic` takes back changes that were made on the record but never passed to `update`.
 *
 * Invariants:
 * - the table is complete whenever `#dirty` is empty;
 * - at most DIRTY_LIMIT entries are dirty, so writing them takes a few milliseconds at most;
 * - `#undo` is empty outside `atomic`.
 */
import type { Inode, InodeId } from './types.ts';
import type { Participant, Transaction } from './transaction.ts';
import { TwoGenerationMap } from './two-generation-map.ts';

/** Entries of each of the two generations; about 400 bytes each. */
const GENERATION_SIZE = 8192;
const DIRTY_LIMIT = 1024;

interface CachedInode {
  record: Inode;
  /** The record at the last `update`, if the table does not have it yet. */
  saved: Inode | undefined;
  /** Size as counted in the totals. */
  sizeBytes: bigint;
}

interface UndoStep {
  readonly id: InodeId;
  /** Dirty with these values before the step, or clean. */
  readonly saved: Inode | undefined;
}

export class InodeCache implements Participant {
  readonly #transaction: Transaction;
  readonly #write: (inode: Inode) => void;
  readonly #entries: TwoGenerationMap<InodeId, CachedInode>;
  #dirty = new Map<InodeId, CachedInode>();
  #undo: UndoStep[] = [];

  /** `write` puts a row that exists into the table. */
  constructor(transaction: Transaction, write: (inode: Inode) => void) {
    this.#transaction = transaction;
    this.#write = write;
    this.#entries = new TwoGenerationMap(GENERATION_SIZE, (evicted) => {
      for (const entry of evicted) this.#clean(entry);
    });
  }

  get(id: InodeId): Inode | undefined {
    return this.#entries.get(id)?.record;
  }

  /** Takes over a record that equals its row. */
  add(record: Inode): void {
    this.#entries.set(record.id, { record, saved: undefined, sizeBytes: record.size });
  }

  /** Marks the record (which must be in the cache) as changed. Returns by how much its size differs from the last update's. */
  update(record: Inode): bigint {
    const entry = this.#entries.get(record.id);
    if (entry === undefined) throw new Error(`inode ${record.id} is not cached`);
    if (entry.record !== record) Object.assign(entry.record, record);
    if (this.#transaction.inAtomic) this.#undo.push({ id: record.id, saved: entry.saved });
    if (entry.saved === undefined) {
      if (this.#dirty.size >= DIRTY_LIMIT) this.flush();
      this.#dirty.set(record.id, entry);
    }
    entry.saved = { ...record };
    const growthBytes = record.size - entry.sizeBytes;
    entry.sizeBytes = record.size;
    return growthBytes;
  }

  /** Forgets the inode, whose row is about to be deleted, with its unwritten changes. Returns its size as last updated, if it was cached. */
  drop(id: InodeId): bigint | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    this.#entries.delete(id);
    if (entry.saved !== undefined) {
      if (this.#transaction.inAtomic) this.#undo.push({ id, saved: entry.saved });
      this.#dirty.delete(id);
    }
    return entry.sizeBytes;
  }

  /** Makes the table complete. */
  flush(): void {
    for (const entry of this.#dirty.values()) this.#clean(entry);
  }

  mark(): number {
    return this.#undo.length;
  }

  rollback(mark: unknown): void {
    const saved = new Map<InodeId, Inode>();
    for (const [id, entry] of this.#dirty) if (entry.saved !== undefined) saved.set(id, entry.saved);
    while (this.#undo.length > (mark as number)) {
      const step = this.#undo.pop() as UndoStep;
      if (step.saved === undefined) saved.delete(step.id);
      else saved.set(step.id, step.saved);
    }
    // Any cached record may have been changed without `update`: keep only copies.
    this.#entries.clear();
    this.#dirty.clear();
    for (const [id, inode] of saved) {
      const entry: CachedInode = { record: { ...inode }, saved: inode, sizeBytes: inode.size };
      this.#dirty.set(id, entry);
      this.#entries.set(id, entry);
    }
  }

  release(): void {
    this.#undo.length = 0;
  }

  beforeCommit(): void {
    this.flush();
  }

  #clean(entry: CachedInode): void {
    const { saved } = entry;
    if (saved === undefined) return;
    this.#write(saved);
    if (this.#transaction.inAtomic) this.#undo.push({ id: saved.id, saved });
    entry.saved = undefined;
    this.#dirty.delete(saved.id);
  }
}
