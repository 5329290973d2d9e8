/** Rows of `symlink_targets`. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { prepareRows, type RowStatement } from './connection.ts';
import type { SymlinkTable } from './database.ts';
import type { Transaction } from './transaction.ts';
import type { InodeId } from './types.ts';

export class SqliteSymlinkTable implements SymlinkTable {
  readonly #transaction: Transaction;
  readonly #select: RowStatement<[Uint8Array]>;
  readonly #upsert: StatementSync;
  readonly #delete: StatementSync;

  constructor(connection: DatabaseSync, transaction: Transaction) {
    this.#transaction = transaction;
    this.#select = prepareRows(connection, 'SELECT target FROM symlink_targets WHERE inode = ?');
    this.#upsert = connection.prepare('INSERT OR REPLACE INTO symlink_targets (inode, target) VALUES (?, ?)');
    this.#delete = connection.prepare('DELETE FROM symlink_targets WHERE inode = ?');
  }

  target(inode: InodeId): Uint8Array | undefined {
    return this.#select.get(inode)?.[0];
  }

  set(inode: InodeId, target: Uint8Array): void {
    this.#transaction.change();
    this.#upsert.run(inode, target);
  }

  delete(inode: InodeId): void {
    this.#transaction.change();
    this.#delete.run(inode);
  }
}
