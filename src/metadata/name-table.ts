/** Interned names: file names and xattr names share the rows of `names`; a row lives as long as something refers to it. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { prepareRows, type RowStatement } from './connection.ts';

export class NameTable {
  readonly #intern: RowStatement<[number]>;
  readonly #deleteLast: StatementSync;
  readonly #decrement: StatementSync;

  constructor(connection: DatabaseSync) {
    this.#intern = prepareRows(
      connection,
      'INSERT INTO names (name, refcount) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET refcount = refcount + 1 RETURNING id',
    );
    this.#deleteLast = connection.prepare('DELETE FROM names WHERE id = ? AND refcount <= 1');
    this.#decrement = connection.prepare('UPDATE names SET refcount = refcount - 1 WHERE id = ?');
  }

  /** Adds a reference to the name and returns its id. The caller has announced a change to the transaction. */
  intern(name: Uint8Array): number {
    const row = this.#intern.get(name);
    if (row === undefined) throw new Error('names: RETURNING returned nothing');
    return row[0];
  }

  /** Takes a reference away; the name goes with the last one. */
  release(id: number): void {
    if (this.#deleteLast.run(id).changes === 0) this.#decrement.run(id);
  }
}
