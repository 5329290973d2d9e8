/** Rows of `contents`: directory entries. A cookie is the id of the entry's name, which is what S3QL orders directories by. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { constants } from 'node:fs';
import { FsError } from '../util/errors.ts';
import { LIMIT_PARAMETER, prepareRows, type RowStatement, SQLITE_CONSTRAINT_UNIQUE } from './connection.ts';
import type { EntryTable } from './database.ts';
import { INODE_COLUMNS, type SqliteInodeTable, toInode } from './inode-table.ts';
import type { NameTable } from './name-table.ts';
import { PARENT_INDEX } from './schema.ts';
import type { Totals } from './totals.ts';
import type { Transaction } from './transaction.ts';
import type { DirectoryEntry, Inode, InodeId } from './types.ts';

/** Building an index changes more pages than anybody wants to count: a commit needs room for as many as the database has. */
const INDEX_CHANGE_COUNT = 1_000_000;

/** An entry is found by its parent and the id of its name. */
const BY_NAME = 'parent_inode = ? AND name_id = (SELECT id FROM names WHERE name = ?)';
/** CROSS JOIN: SQLite keeps the order of the tables, whatever statistics an S3QL left in sqlite_stat1. */
const LISTED = `WHERE c.parent_inode = ? AND c.name_id > ? ORDER BY c.name_id ${LIMIT_PARAMETER}`;

export class SqliteEntryTable implements EntryTable {
  readonly #connection: DatabaseSync;
  readonly #transaction: Transaction;
  readonly #totals: Totals;
  readonly #inodes: SqliteInodeTable;
  readonly #names: NameTable;
  readonly #lookup: RowStatement<[number]>;
  readonly #insert: StatementSync;
  readonly #remove: RowStatement<[number]>;
  readonly #replace: StatementSync;
  readonly #list: RowStatement<[number, Uint8Array, number]>;
  readonly #listWithInodes: RowStatement<[bigint, Uint8Array, ...bigint[]]>;
  readonly #any: RowStatement<[number]>;
  readonly #listModes: RowStatement<[number, number]>;
  readonly #parent: RowStatement<[number]>;

  constructor(connection: DatabaseSync, transaction: Transaction, totals: Totals, inodes: SqliteInodeTable, names: NameTable) {
    this.#connection = connection;
    this.#transaction = transaction;
    this.#totals = totals;
    this.#inodes = inodes;
    this.#names = names;
    this.#lookup = prepareRows(connection, `SELECT inode FROM contents WHERE ${BY_NAME}`);
    this.#insert = connection.prepare('INSERT INTO contents (name_id, inode, parent_inode) VALUES (?, ?, ?)');
    this.#remove = prepareRows(connection, `DELETE FROM contents WHERE ${BY_NAME} RETURNING name_id`);
    this.#replace = connection.prepare(`UPDATE contents SET inode = ? WHERE ${BY_NAME}`);
    this.#list = prepareRows(
      connection,
      `SELECT c.name_id, n.name, c.inode FROM contents c CROSS JOIN names n ON n.id = c.name_id ${LISTED}`,
    );
    const attributes = INODE_COLUMNS.replace(/\w+/g, 'i.$&');
    this.#listWithInodes = prepareRows(
      connection,
      `SELECT c.name_id, n.name, ${attributes}
       FROM contents c CROSS JOIN names n ON n.id = c.name_id CROSS JOIN inodes i ON i.id = c.inode ${LISTED}`,
      { bigints: true },
    );
    this.#any = prepareRows(connection, 'SELECT 1 FROM contents WHERE parent_inode = ? LIMIT 1');
    this.#listModes = prepareRows(connection, `SELECT c.name_id, (SELECT mode FROM inodes WHERE id = c.inode) FROM contents c ${LISTED}`);
    this.#parent = prepareRows(connection, 'SELECT parent_inode FROM contents WHERE inode = ? LIMIT 1');
  }

  lookup(parent: InodeId, name: Uint8Array): InodeId | undefined {
    return this.#lookup.get(parent, name)?.[0] as InodeId | undefined;
  }

  insert(parent: InodeId, name: Uint8Array, inode: InodeId): void {
    this.#transaction.change(2);
    const nameId = this.#names.intern(name);
    try {
      this.#insert.run(nameId, inode, parent);
    } catch (error) {
      this.#names.release(nameId);
      if ((error as { errcode?: number }).errcode === SQLITE_CONSTRAINT_UNIQUE) throw new FsError('EEXIST', 'EEXIST', { cause: error });
      throw error;
    }
    this.#totals.entries(1);
  }

  remove(parent: InodeId, name: Uint8Array): void {
    this.#transaction.change(2);
    const removed = this.#remove.get(parent, name);
    if (removed === undefined) throw new FsError('ENOENT');
    this.#names.release(removed[0]);
    this.#totals.entries(-1);
  }

  replace(parent: InodeId, name: Uint8Array, inode: InodeId): void {
    this.#transaction.change();
    if (this.#replace.run(inode, parent, name).changes === 0) throw new FsError('ENOENT');
  }

  list(parent: InodeId, afterCookie: number, limit: number): DirectoryEntry[] {
    return this.#list.all(parent, afterCookie, limit).map(([cookie, name, inode]) => ({ cookie, name, inode: inode as InodeId }));
  }

  listWithInodes(parent: InodeId, afterCookie: number, limit: number): Array<DirectoryEntry & { readonly attributes: Inode }> {
    this.#inodes.flush();
    return this.#listWithInodes.all(parent, afterCookie, limit).map((row) => {
      const attributes = toInode(row, 2);
      return { cookie: Number(row[0]), name: row[1], inode: attributes.id, attributes };
    });
  }

  isEmpty(directory: InodeId): boolean {
    return this.#any.get(directory) === undefined;
  }

  // Needs no flush of the inode cache: new rows are written at once, and a file's type never changes.
  countDirectories(parent: InodeId, afterCookie: number, limit: number): { count: number; nextCookie: number | undefined } {
    const rows = this.#listModes.all(parent, afterCookie, limit);
    let count = 0;
    for (const [, mode] of rows) if ((mode & constants.S_IFMT) === constants.S_IFDIR) count++;
    return { count, nextCookie: rows.length < limit ? undefined : rows.at(-1)?.[0] };
  }

  parentOf(inode: InodeId): InodeId | undefined {
    return this.#parent.get(inode)?.[0] as InodeId | undefined;
  }

  setParentIndex(present: boolean): void {
    const known = prepareRows(this.#connection, "SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?").get(PARENT_INDEX);
    // Mostly there is nothing to do, and then nothing has changed that would have to be uploaded.
    if ((known !== undefined) === present) return;
    this.#transaction.change(INDEX_CHANGE_COUNT);
    this.#connection.exec(present ? `CREATE INDEX ${PARENT_INDEX} ON contents(inode)` : `DROP INDEX ${PARENT_INDEX}`);
  }
}
