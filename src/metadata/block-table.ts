/** Rows of `inode_blocks`: which object holds which block of which file. Every row is one reference of its object. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type BlockUsage, BlockUsageCache } from './block-usage.ts';
import { LIMIT_PARAMETER, prepareRows, type RowStatement } from './connection.ts';
import type { BlockTable } from './database.ts';
import type { ObjectTable } from './object-table.ts';
import type { Transaction } from './transaction.ts';
import type { BlockIndex, InodeId, ObjectId, StoredBlock } from './types.ts';

const RANGE = 'b.inode = ? AND b.blockno >= ? AND b.blockno < ?';

export class SqliteBlockTable implements BlockTable {
  readonly #transaction: Transaction;
  readonly #objects: ObjectTable;
  readonly #usageCache: BlockUsageCache;
  readonly #select: RowStatement<[number, number, Uint8Array | null]>;
  readonly #range: RowStatement<[number, number, number, Uint8Array | null]>;
  readonly #usage: RowStatement<[bigint, bigint, bigint]>;
  readonly #selectObject: RowStatement<[number]>;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #selectRange: RowStatement<[number, number]>;
  readonly #deleteRange: StatementSync;

  constructor(connection: DatabaseSync, transaction: Transaction, objects: ObjectTable) {
    this.#transaction = transaction;
    this.#objects = objects;
    this.#usageCache = new BlockUsageCache();
    transaction.join(this.#usageCache);
    this.#select = prepareRows(
      connection,
      `SELECT o.id, o.length, o.hash FROM inode_blocks b CROSS JOIN objects o ON o.id = b.obj_id
       WHERE b.inode = ? AND b.blockno = ?`,
    );
    this.#range = prepareRows(
      connection,
      `SELECT b.blockno, o.id, o.length, o.hash FROM inode_blocks b CROSS JOIN objects o ON o.id = b.obj_id
       WHERE ${RANGE} ORDER BY b.blockno ${LIMIT_PARAMETER}`,
    );
    this.#usage = prepareRows(
      connection,
      `SELECT count(*), coalesce(sum(o.length >> 32), 0), coalesce(sum(o.length & 4294967295), 0)
       FROM inode_blocks b CROSS JOIN objects o ON o.id = b.obj_id WHERE b.inode = ?`,
      { bigints: true },
    );
    this.#selectObject = prepareRows(connection, 'SELECT obj_id FROM inode_blocks WHERE inode = ? AND blockno = ?');
    this.#insert = connection.prepare('INSERT INTO inode_blocks (inode, blockno, obj_id) VALUES (?, ?, ?)');
    this.#update = connection.prepare('UPDATE inode_blocks SET obj_id = ? WHERE inode = ? AND blockno = ?');
    this.#selectRange = prepareRows(
      connection,
      `SELECT b.blockno, b.obj_id FROM inode_blocks b WHERE ${RANGE} ORDER BY b.blockno ${LIMIT_PARAMETER}`,
    );
    this.#deleteRange = connection.prepare('DELETE FROM inode_blocks WHERE inode = ? AND blockno >= ? AND blockno <= ?');
  }

  get(inode: InodeId, block: BlockIndex): StoredBlock | undefined {
    const row = this.#select.get(inode, block);
    return row && { objectId: row[0] as ObjectId, lengthBytes: row[1], digest: row[2] };
  }

  range(inode: InodeId, first: BlockIndex, end: BlockIndex, limit: number): Array<StoredBlock & { readonly block: BlockIndex }> {
    return this.#range
      .all(inode, first, end, limit)
      .map(([block, objectId, lengthBytes, digest]) => ({ block, objectId: objectId as ObjectId, lengthBytes, digest }));
  }

  usage(inode: InodeId): BlockUsage {
    return this.#usageCache.get(inode, () => {
      const [blockCount, high, low] = this.#usage.get(inode) ?? [0n, 0n, 0n];
      return { blockCount: Number(blockCount), lengthBytes: (high << 32n) + low };
    });
  }

  findByDigest(digest: Uint8Array): { objectId: ObjectId; lengthBytes: number } | undefined {
    return this.#objects.findByDigest(digest);
  }

  hasObject(id: ObjectId): boolean {
    return this.#objects.has(id);
  }

  insertObject(id: ObjectId, digest: Uint8Array, lengthBytes: number, storedSizeBytes: number): void {
    this.#objects.insert(id, digest, lengthBytes, storedSizeBytes);
  }

  link(inode: InodeId, block: BlockIndex, object: ObjectId): void {
    const before = this.#selectObject.get(inode, block)?.[0];
    if (before === object) return;
    this.#transaction.change(2);
    const addedBytes = this.#objects.addReference(object);
    if (before === undefined) {
      this.#insert.run(inode, block, object);
      this.#usageCache.adjust(inode, 1, addedBytes);
    } else {
      this.#update.run(object, inode, block);
      this.#usageCache.adjust(inode, 0, addedBytes - this.#objects.takeReferences(before as ObjectId, 1));
    }
  }

  unlink(inode: InodeId, first: BlockIndex, end: BlockIndex, limit: number): number {
    const rows = this.#selectRange.all(inode, first, end, limit);
    const last = rows.at(-1);
    if (last === undefined) return 0;
    this.#transaction.change(2 * rows.length);
    this.#deleteRange.run(inode, first, last[0]);
    const references = new Map<number, number>();
    for (const [, object] of rows) references.set(object, (references.get(object) ?? 0) + 1);
    let removedBytes = 0;
    for (const [object, count] of references) removedBytes += count * this.#objects.takeReferences(object as ObjectId, count);
    this.#usageCache.adjust(inode, -rows.length, -removedBytes);
    return rows.length;
  }

  share(source: InodeId, target: InodeId, first: BlockIndex, end: BlockIndex, limit: number): BlockIndex | undefined {
    const rows = this.#selectRange.all(source, first, end, limit);
    if (rows.length > 0) this.#transaction.change(2 * rows.length);
    let addedBytes = 0;
    for (const [block, object] of rows) {
      addedBytes += this.#objects.addReference(object as ObjectId);
      this.#insert.run(target, block, object);
    }
    this.#usageCache.adjust(target, rows.length, addedBytes);
    const last = rows.at(-1);
    return last === undefined || rows.length < limit ? undefined : last[0] + 1;
  }

  takeUnreferenced(): ObjectId[] {
    return this.#objects.takeUnreferenced();
  }

  reserveObjectIds(count: number): ObjectId {
    return this.#objects.reserveIds(count);
  }
}
