/**
 * Rows of `objects` and their reference counts. An object whose last reference goes loses its row at once and is remembered until
 * somebody takes over the duty to delete it from the store. Owns the ids of objects.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { prepareRows, type RowStatement } from './connection.ts';
import { lastUsedId } from './last-used-id.ts';
import type { Totals } from './totals.ts';
import type { Participant, Transaction } from './transaction.ts';
import type { ObjectId } from './types.ts';

export class ObjectTable implements Participant {
  readonly #transaction: Transaction;
  readonly #totals: Totals;
  readonly #find: RowStatement<[number, number]>;
  readonly #exists: RowStatement<[number]>;
  readonly #insert: StatementSync;
  readonly #select: RowStatement<[number, number, number]>;
  readonly #addReferences: StatementSync;
  readonly #delete: StatementSync;
  readonly #advanceSequence: StatementSync;
  readonly #insertSequence: StatementSync;
  #unreferenced: ObjectId[] = [];
  #lastId: number;

  constructor(connection: DatabaseSync, transaction: Transaction, totals: Totals) {
    this.#transaction = transaction;
    this.#totals = totals;
    this.#find = prepareRows(connection, 'SELECT id, length FROM objects WHERE hash = ?');
    this.#exists = prepareRows(connection, 'SELECT 1 FROM objects WHERE id = ?');
    this.#insert = connection.prepare('INSERT INTO objects (id, hash, refcount, phys_size, length) VALUES (?, ?, 0, ?, ?)');
    this.#select = prepareRows(connection, 'SELECT refcount, length, phys_size FROM objects WHERE id = ?');
    this.#addReferences = connection.prepare('UPDATE objects SET refcount = refcount + ? WHERE id = ?');
    this.#delete = connection.prepare('DELETE FROM objects WHERE id = ?');
    // Numbers are bound as floating point, and this column has no affinity that would make them integers.
    this.#advanceSequence = connection.prepare("UPDATE sqlite_sequence SET seq = CAST(? AS INTEGER) WHERE name = 'objects'");
    this.#insertSequence = connection.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('objects', CAST(? AS INTEGER))");
    this.#lastId = lastUsedId(connection, 'objects', 'id');
    transaction.join(this);
  }

  findByDigest(digest: Uint8Array): { objectId: ObjectId; lengthBytes: number } | undefined {
    const row = this.#find.get(digest);
    return row && { objectId: row[0] as ObjectId, lengthBytes: row[1] };
  }

  has(id: ObjectId): boolean {
    return this.#exists.get(id) !== undefined;
  }

  insert(id: ObjectId, digest: Uint8Array, lengthBytes: number, storedSizeBytes: number): void {
    this.#transaction.change();
    this.#insert.run(id, digest, storedSizeBytes, lengthBytes);
    this.#lastId = Math.max(this.#lastId, id);
    this.#totals.objects(1, lengthBytes, storedSizeBytes);
  }

  /** For that many new rows of `inode_blocks`. */
  addReferences(id: ObjectId, count: number): void {
    if (this.#addReferences.run(count, id).changes === 0) throw new Error(`object ${id} does not exist`);
  }

  /** Returns the object's length. */
  addReference(id: ObjectId): number {
    const row = this.#select.get(id);
    if (row === undefined) throw new Error(`object ${id} does not exist`);
    this.#addReferences.run(1, id);
    return row[1];
  }

  /** Returns the object's length; 0 if there is no such object. */
  takeReferences(id: ObjectId, count: number): number {
    const row = this.#select.get(id);
    if (row === undefined) return 0;
    const [referenceCount, lengthBytes, storedSizeBytes] = row;
    if (referenceCount > count) {
      this.#addReferences.run(-count, id);
    } else {
      this.#delete.run(id);
      this.#unreferenced.push(id);
      this.#totals.objects(-1, lengthBytes, storedSizeBytes);
    }
    return lengthBytes;
  }

  takeUnreferenced(): ObjectId[] {
    if (this.#transaction.inAtomic) throw new Error('takeUnreferenced inside atomic');
    const taken = this.#unreferenced;
    this.#unreferenced = [];
    return taken;
  }

  reserveIds(count: number): ObjectId {
    this.#transaction.change();
    const first = this.#lastId + 1;
    // Never moves back, even if the reservation is rolled back: somebody may have seen the ids.
    this.#lastId += count;
    if (this.#advanceSequence.run(this.#lastId).changes === 0) this.#insertSequence.run(this.#lastId);
    return first as ObjectId;
  }

  mark(): number {
    return this.#unreferenced.length;
  }

  rollback(mark: unknown): void {
    this.#unreferenced.length = mark as number;
  }

  release(): void {}

  beforeCommit(): void {}
}
