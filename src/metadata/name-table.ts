/** Interned names: file names and xattr names share the rows of `names`; a row lives as long as something refers to it. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { prepareRows, type RowStatement } from './connection.ts';

// RETURNING would need one statement less, and take twice the time.
export class NameTable {
  readonly #insert: StatementSync;
  readonly #select: RowStatement<[number]>;
  readonly #increment: StatementSync;
  readonly #deleteLast: StatementSync;
  readonly #decrement: StatementSync;

  constructor(connection: DatabaseSync) {
    this.#insert = connection.prepare('INSERT INTO names (name, refcount) VALUES (?, 1) ON CONFLICT (name) DO NOTHING');
    this.#select = prepareRows(connection, 'SELECT id FROM names WHERE name = ?');
    this.#increment = connection.prepare('UPDATE names SET refcount = refcount + 1 WHERE id = ?');
    this.#deleteLast = connection.prepare('DELETE FROM names WHERE id = ? AND refcount <= 1');
    this.#decrement = connection.prepare('UPDATE names SET refcount = refcount - 1 WHERE id = ?');
  }

  /** Adds a reference to the name and returns its id. The caller has announced a change to the transaction. */
  intern(name: Uint8Array): number {
    const inserted = this.#insert.run(name);
    if (inserted.changes === 1) return Number(inserted.lastInsertRowid);
    const row = this.#select.get(name);
    if (row === undefined) throw new Error('names: a name that exists was not found');
    this.#increment.run(row[0]);
    return row[0];
  }

  /** Takes a reference away; the name goes with the last one. */
  release(id: number): void {
    if (this.#deleteLast.run(id).changes === 0) this.#decrement.run(id);
  }
}
