/**
 * Changes of directories and names that checks make. Counts of names and inodes move along with the rows they count, so a count that was
 * right stays right, and one that was wrong is found by its own check.
 */
import { constants } from 'node:fs';
import type { CheckDatabase } from './check-database.ts';

export const ROOT = 1n;
export const CONTROL = 2n;
/** Deeper than any path the kernel can name. */
const MAX_DEPTH = 4096;
const SLASH = Buffer.from('/');

export interface Entry {
  readonly row: bigint;
  readonly parent: bigint;
  readonly inode: bigint;
}

export type EntryRow = [row: bigint, parent: bigint, inode: bigint];

export const ENTRY_COLUMNS: string = 'rowid, parent_inode, inode';

export function toEntry([row, parent, inode]: EntryRow): Entry {
  return { row, parent, inode };
}

export class Tree {
  readonly #database: CheckDatabase;
  /** For times of what is made here. */
  readonly nowNs: bigint;

  constructor(database: CheckDatabase, nowNs: bigint) {
    this.#database = database;
    this.nowNs = nowNs;
  }

  /** Adds a reference to the name; returns its id. */
  internName(name: Uint8Array): bigint {
    const row = this.#database.row<[bigint]>(
      'INSERT INTO names (name, refcount) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET refcount = refcount + 1 RETURNING id',
      name,
    );
    return row?.[0] ?? 0n;
  }

  releaseName(id: bigint): void {
    if (this.#database.run('DELETE FROM names WHERE id = ? AND refcount <= 1', id) > 0) return;
    this.#database.run('UPDATE names SET refcount = refcount - 1 WHERE id = ?', id);
  }

  lookup(parent: bigint, name: Uint8Array): Entry | undefined {
    const row = this.#database.row<EntryRow>(
      `SELECT ${ENTRY_COLUMNS} FROM contents WHERE parent_inode = ? AND name_id = (SELECT id FROM names WHERE name = ?)`,
      parent,
      name,
    );
    return row && toEntry(row);
  }

  entriesOf(inode: bigint): Entry[] {
    return this.#database.rows<EntryRow>(`SELECT ${ENTRY_COLUMNS} FROM contents WHERE inode = ? ORDER BY rowid`, inode).map(toEntry);
  }

  /** Adds an entry and counts it. */
  addEntry(parent: bigint, name: Uint8Array, inode: bigint): void {
    this.#database.run('INSERT INTO contents (name_id, inode, parent_inode) VALUES (?, ?, ?)', this.internName(name), inode, parent);
    this.#database.run('UPDATE inodes SET refcount = refcount + 1 WHERE id = ?', inode);
  }

  /** Gives an entry another place and name. */
  moveEntry(entry: Entry, parent: bigint, name: Uint8Array): void {
    const before = this.#nameIdOf(entry.row);
    const after = this.internName(name);
    this.#database.run('UPDATE contents SET parent_inode = ?, name_id = ? WHERE rowid = ?', parent, after, entry.row);
    if (before !== undefined) this.releaseName(before);
  }

  removeEntry(entry: Entry): void {
    const name = this.#nameIdOf(entry.row);
    this.#database.run('DELETE FROM contents WHERE rowid = ?', entry.row);
    this.#database.run('UPDATE inodes SET refcount = refcount - 1 WHERE id = ?', entry.inode);
    if (name !== undefined) this.releaseName(name);
  }

  /** Makes an inode, owned by root, without an entry. `id` undefined: a new one. */
  createInode(mode: number, id?: bigint): bigint {
    const row = this.#database.row<[bigint]>(
      `INSERT INTO inodes (id, uid, gid, mode, mtime_ns, atime_ns, ctime_ns, refcount) VALUES (?1, 0, 0, ?2, ?3, ?3, ?3, 0) RETURNING id`,
      id ?? null,
      mode,
      this.nowNs,
    );
    return row?.[0] ?? 0n;
  }

  /** The path of an inode, for people and for names in lost+found; begins with `inode-N` if it does not come from the root. */
  pathOf(inode: bigint): Buffer {
    const entry = this.entriesOf(inode)[0];
    return entry === undefined ? Buffer.from(inode === ROOT ? '' : `inode-${inode}`) : this.entryPath(entry);
  }

  entryPath(entry: Entry): Buffer {
    const parts: Uint8Array[] = [];
    let next: Entry | undefined = entry;
    for (let depth = 0; next !== undefined && depth < MAX_DEPTH; depth++) {
      parts.unshift(this.nameOf(next.row) ?? Buffer.from(`inode-${next.inode}`));
      const { parent }: Entry = next;
      if (parent === ROOT) return Buffer.concat(parts.flatMap((part) => [SLASH, part]));
      next = this.entriesOf(parent)[0];
      if (next === undefined) parts.unshift(Buffer.from(`inode-${parent}`));
    }
    return Buffer.concat(parts.flatMap((part, index) => (index === 0 ? [part] : [SLASH, part])));
  }

  /** Undefined if the entry has no name. */
  nameOf(row: bigint): Uint8Array | undefined {
    const found = this.#database.row<[Uint8Array]>(
      'SELECT CAST(name AS BLOB) FROM contents JOIN names ON names.id = name_id WHERE contents.rowid = ?',
      row,
    );
    return found?.[0];
  }

  isDirectory(inode: bigint): boolean {
    return this.typeOf(inode) === constants.S_IFDIR;
  }

  /** File type bits; undefined if there is no such inode. */
  typeOf(inode: bigint): number | undefined {
    const row = this.#database.row<[bigint]>('SELECT mode FROM inodes WHERE id = ?', inode);
    return row && Number(row[0]) & constants.S_IFMT;
  }

  #nameIdOf(row: bigint): bigint | undefined {
    return this.#database.row<[bigint]>('SELECT name_id FROM contents WHERE rowid = ?', row)?.[0];
  }
}

/** A path as it is shown. */
export function shown(path: Uint8Array): string {
  const text = Buffer.from(path).toString('utf8');
  return text === '' ? '/' : text.replaceAll(/\p{Cc}/gu, '?');
}
