/** Rows of `inodes`, through the write-behind cache. Owns the numbers that new inodes get. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { prepareRows, type RowStatement } from './connection.ts';
import type { InodeTable } from './database.ts';
import { InodeCache } from './inode-cache.ts';
import { lastUsedId } from './last-used-id.ts';
import type { Totals } from './totals.ts';
import type { Transaction } from './transaction.ts';
import type { Inode, InodeId } from './types.ts';

/** Columns in the order of `toInode`. */
export const INODE_COLUMNS: string = 'id, mode, uid, gid, atime_ns, mtime_ns, ctime_ns, refcount, size, rdev, locked';

export type InodeRow = [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];

/** The record of a row that was read as BigInts, with its columns from `first` on. */
export function toInode(row: readonly unknown[], first: number = 0): Inode {
  const columns = row as readonly bigint[];
  return {
    id: Number(columns[first]) as InodeId,
    mode: Number(columns[first + 1]),
    uid: Number(columns[first + 2]),
    gid: Number(columns[first + 3]),
    atimeNs: columns[first + 4] as bigint,
    mtimeNs: columns[first + 5] as bigint,
    ctimeNs: columns[first + 6] as bigint,
    linkCount: Number(columns[first + 7]),
    size: columns[first + 8] as bigint,
    rdev: Number(columns[first + 9]),
    locked: columns[first + 10] !== 0n,
  };
}

export class SqliteInodeTable implements InodeTable {
  readonly #transaction: Transaction;
  readonly #totals: Totals;
  readonly #cache: InodeCache;
  readonly #select: RowStatement<InodeRow>;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #selectSize: RowStatement<[bigint]>;
  readonly #delete: StatementSync;
  readonly #orphans: RowStatement<[number]>;
  #lastId: number;

  constructor(connection: DatabaseSync, transaction: Transaction, totals: Totals) {
    this.#transaction = transaction;
    this.#totals = totals;
    this.#select = prepareRows(connection, `SELECT ${INODE_COLUMNS} FROM inodes WHERE id = ?`, { bigints: true });
    this.#insert = connection.prepare(`INSERT INTO inodes (${INODE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#update = connection.prepare(
      'UPDATE inodes SET mode = ?, uid = ?, gid = ?, atime_ns = ?, mtime_ns = ?, ctime_ns = ?, refcount = ?, size = ?, rdev = ?, locked = ? WHERE id = ?',
    );
    this.#selectSize = prepareRows(connection, 'SELECT size FROM inodes WHERE id = ?', { bigints: true });
    this.#delete = connection.prepare('DELETE FROM inodes WHERE id = ?');
    this.#orphans = prepareRows(connection, 'SELECT id FROM inodes WHERE refcount = 0');
    this.#cache = new InodeCache(transaction, (inode) => this.#write(inode));
    this.#lastId = lastUsedId(connection, 'inodes', 'id');
    transaction.join(this.#cache);
  }

  get(id: InodeId): Inode | undefined {
    const cached = this.#cache.get(id);
    if (cached !== undefined) return cached;
    const row = this.#select.get(id);
    if (row === undefined) return undefined;
    const inode = toInode(row);
    this.#cache.add(inode);
    return inode;
  }

  create(fields: Omit<Inode, 'id'>): Inode {
    this.#transaction.change();
    const inode: Inode = { ...fields, id: (this.#lastId + 1) as InodeId };
    this.#insert.run(
      inode.id,
      inode.mode,
      inode.uid,
      inode.gid,
      inode.atimeNs,
      inode.mtimeNs,
      inode.ctimeNs,
      inode.linkCount,
      inode.size,
      inode.rdev,
      inode.locked ? 1 : 0,
    );
    this.#lastId = inode.id;
    this.#cache.add(inode);
    this.#totals.inodes(1, inode.size);
    return inode;
  }

  update(inode: Inode): void {
    // Brings a record into the cache that was evicted since the caller got it.
    if (this.get(inode.id) === undefined) throw new Error(`inode ${inode.id} does not exist`);
    this.#transaction.change();
    this.#totals.inodes(0, this.#cache.update(inode));
  }

  setAtime(id: InodeId, atimeNs: bigint): void {
    const inode = this.get(id);
    if (inode === undefined) return;
    inode.atimeNs = atimeNs;
    this.update(inode);
  }

  delete(id: InodeId): void {
    this.#transaction.change();
    const size = this.#cache.drop(id) ?? this.#selectSize.get(id)?.[0];
    if (size === undefined) return;
    this.#delete.run(id);
    this.#totals.inodes(-1, -size);
  }

  orphans(): InodeId[] {
    this.flush();
    return this.#orphans.all().map(([id]) => id as InodeId);
  }

  /** Ids for that many rows which another statement makes. Returns the first. */
  takeIds(count: number): number {
    const first = this.#lastId + 1;
    this.#lastId += count;
    return first;
  }

  /** Makes the table complete, for queries that read it directly. */
  flush(): void {
    this.#cache.flush();
  }

  #write(inode: Inode): void {
    this.#update.run(
      inode.mode,
      inode.uid,
      inode.gid,
      inode.atimeNs,
      inode.mtimeNs,
      inode.ctimeNs,
      inode.linkCount,
      inode.size,
      inode.rdev,
      inode.locked ? 1 : 0,
      inode.id,
    );
  }
}
