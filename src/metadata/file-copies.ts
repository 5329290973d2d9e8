/**
 * Copies of many small files at once, for snapshots: a handful of statements for a range of directory entries instead of a dozen for each
 * file. Measured with files of one block: 7 µs of processor time each instead of 19.
 *
 * Every statement begins at the entries of one directory and finds the rest by primary keys; CROSS JOIN keeps that order, whatever
 * statistics an S3QL left in sqlite_stat1.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { FsError } from '../util/errors.ts';
import { prepareRows, type RowStatement, SQLITE_CONSTRAINT_UNIQUE } from './connection.ts';
import type { CopiedRange } from './database.ts';
import { INODE_COLUMNS, type SqliteInodeTable } from './inode-table.ts';
import type { ObjectTable } from './object-table.ts';
import type { Totals } from './totals.ts';
import type { Transaction } from './transaction.ts';
import type { ObjectId } from './types.ts';

const ENTRIES = 'parent_inode = ? AND name_id BETWEEN ? AND ?';
/** `n` is the copy's entry, `o` the original's. Parameters: target, source, first, last. */
const PAIRS = `contents o CROSS JOIN contents n ON n.parent_inode = ? AND n.name_id = o.name_id`;
const ORIGINALS = 'o.parent_inode = ? AND o.name_id BETWEEN ? AND ?';
/** What a copy does not share with its original. */
const COPIED_COLUMNS = INODE_COLUMNS.replace(/\w+/g, 'i.$&').replace('i.id', 'n.inode').replace('i.refcount', '1').replace('i.locked', '0');

export class FileCopies {
  readonly #transaction: Transaction;
  readonly #totals: Totals;
  readonly #inodes: SqliteInodeTable;
  readonly #objects: ObjectTable;
  readonly #insertEntries: StatementSync;
  readonly #insertInodes: StatementSync;
  readonly #addNames: StatementSync;
  readonly #insertBlocks: StatementSync;
  readonly #references: RowStatement<[number, number]>;

  constructor(connection: DatabaseSync, transaction: Transaction, totals: Totals, inodes: SqliteInodeTable, objects: ObjectTable) {
    this.#transaction = transaction;
    this.#totals = totals;
    this.#inodes = inodes;
    this.#objects = objects;
    this.#insertEntries = connection.prepare(
      `INSERT INTO contents (name_id, inode, parent_inode)
       SELECT name_id, ? + row_number() OVER (ORDER BY name_id), ? FROM contents WHERE ${ENTRIES}`,
    );
    this.#insertInodes = connection.prepare(
      `INSERT INTO inodes (${INODE_COLUMNS})
       SELECT ${COPIED_COLUMNS} FROM ${PAIRS} CROSS JOIN inodes i ON i.id = o.inode WHERE ${ORIGINALS}`,
    );
    this.#addNames = connection.prepare(
      `UPDATE names SET refcount = refcount + 1 WHERE id IN (SELECT name_id FROM contents WHERE ${ENTRIES})`,
    );
    this.#insertBlocks = connection.prepare(
      `INSERT INTO inode_blocks (inode, blockno, obj_id)
       SELECT n.inode, b.blockno, b.obj_id FROM ${PAIRS} CROSS JOIN inode_blocks b ON b.inode = o.inode WHERE ${ORIGINALS}`,
    );
    this.#references = prepareRows(
      connection,
      `SELECT b.obj_id, count(*) FROM contents o CROSS JOIN inode_blocks b ON b.inode = o.inode WHERE ${ORIGINALS} GROUP BY b.obj_id`,
    );
  }

  /** See MetadataDatabase.copyFiles. */
  copy({ source, target, firstCookie, lastCookie, count, sizeBytes }: CopiedRange): void {
    this.#inodes.flush();
    const references = this.#references.all(source, firstCookie, lastCookie);
    this.#transaction.change(3 * count + 2 * references.length);
    const firstId = this.#inodes.takeIds(count);
    const inserted = insertUnique(() => this.#insertEntries.run(firstId - 1, target, source, firstCookie, lastCookie));
    if (inserted !== count) throw new Error(`${count} entries were to be copied, but there are ${inserted}`);
    this.#insertInodes.run(target, source, firstCookie, lastCookie);
    this.#addNames.run(target, firstCookie, lastCookie);
    this.#insertBlocks.run(target, source, firstCookie, lastCookie);
    for (const [object, added] of references) this.#objects.addReferences(object as ObjectId, added);
    this.#totals.entries(count);
    this.#totals.inodes(count, sizeBytes);
  }
}

/** Returns the number of rows. @throws FsError EEXIST */
function insertUnique(insert: () => { readonly changes: number | bigint }): number {
  try {
    return Number(insert().changes);
  } catch (error) {
    if ((error as { errcode?: number }).errcode !== SQLITE_CONSTRAINT_UNIQUE) throw error;
    throw new FsError('EEXIST', 'EEXIST', { cause: error });
  }
}
