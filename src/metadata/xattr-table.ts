/** Rows of `ext_attributes`. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { prepareRows, type RowStatement } from './connection.ts';
import type { XattrTable } from './database.ts';
import type { NameTable } from './name-table.ts';
import { PAGE_SIZE_BYTES } from './schema.ts';
import type { Transaction } from './transaction.ts';
import type { InodeId } from './types.ts';

const BY_NAME = 'inode = ? AND name_id = (SELECT id FROM names WHERE name = ?)';

export class SqliteXattrTable implements XattrTable {
  readonly #transaction: Transaction;
  readonly #names: NameTable;
  readonly #select: RowStatement<[Uint8Array]>;
  readonly #update: StatementSync;
  readonly #insert: StatementSync;
  readonly #delete: RowStatement<[number]>;
  readonly #deleteAll: RowStatement<[number]>;
  readonly #list: RowStatement<[Uint8Array]>;
  /** False only if the table is empty. */
  #any: boolean;

  constructor(connection: DatabaseSync, transaction: Transaction, names: NameTable) {
    this.#transaction = transaction;
    this.#names = names;
    this.#select = prepareRows(connection, `SELECT value FROM ext_attributes WHERE ${BY_NAME}`);
    this.#update = connection.prepare(`UPDATE ext_attributes SET value = ? WHERE ${BY_NAME}`);
    this.#insert = connection.prepare('INSERT INTO ext_attributes (inode, name_id, value) VALUES (?, ?, ?)');
    this.#delete = prepareRows(connection, `DELETE FROM ext_attributes WHERE ${BY_NAME} RETURNING name_id`);
    this.#deleteAll = prepareRows(connection, 'DELETE FROM ext_attributes WHERE inode = ? RETURNING name_id');
    this.#list = prepareRows(
      connection,
      'SELECT n.name FROM ext_attributes x CROSS JOIN names n ON n.id = x.name_id WHERE x.inode = ? ORDER BY x.name_id',
    );
    this.#any = prepareRows(connection, 'SELECT 1 FROM ext_attributes LIMIT 1').get() !== undefined;
  }

  get(inode: InodeId, name: Uint8Array): Uint8Array | undefined {
    return this.#select.get(inode, name)?.[0];
  }

  set(inode: InodeId, name: Uint8Array, value: Uint8Array): void {
    this.#transaction.change(2 + Math.ceil(value.length / PAGE_SIZE_BYTES));
    this.#any = true;
    if (this.#update.run(value, inode, name).changes === 0) this.#insert.run(inode, this.#names.intern(name), value);
  }

  remove(inode: InodeId, name: Uint8Array): boolean {
    if (!this.#any) return false;
    this.#transaction.change();
    const removed = this.#delete.get(inode, name);
    if (removed === undefined) return false;
    this.#names.release(removed[0]);
    return true;
  }

  removeAll(inode: InodeId): void {
    if (!this.#any) return;
    this.#transaction.change();
    for (const [nameId] of this.#deleteAll.all(inode)) this.#names.release(nameId);
  }

  names(inode: InodeId): Uint8Array[] {
    return this.#list.all(inode).map(([name]) => name);
  }

  any(): boolean {
    return this.#any;
  }
}
