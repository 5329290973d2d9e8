/** Makes the metadata database of a new, empty file system, as mkfs does. */
import { closeSync, constants, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { openConnection } from './connection.ts';
import { PAGE_SIZE_BYTES, SCHEMA_SQL } from './schema.ts';
import { CONTROL_INODE, LOST_AND_FOUND_INODE, ROOT_INODE } from './types.ts';

export interface NewFileSystem {
  readonly rootUid: number;
  readonly rootGid: number;
  /** Times of the first inodes. */
  readonly nowNs: bigint;
}

/** S3QL's link count of the control file, which has no directory entry. */
const CONTROL_LINK_COUNT = 42;

/** Creates the file, which must not exist; it is durable when the call returns. @throws Error with code EEXIST */
export function createDatabase(path: string, { rootUid, rootGid, nowNs }: NewFileSystem): void {
  closeSync(openSync(path, 'wx', 0o600));
  const connection = openConnection(path);
  try {
    connection.exec(`PRAGMA page_size = ${PAGE_SIZE_BYTES}; BEGIN; ${SCHEMA_SQL}`);
    const insertInode = connection.prepare(
      `INSERT INTO inodes (id, uid, gid, mode, mtime_ns, atime_ns, ctime_ns, refcount) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?5, ?6)`,
    );
    insertInode.run(ROOT_INODE, rootUid, rootGid, constants.S_IFDIR | 0o755, nowNs, 1);
    insertInode.run(CONTROL_INODE, 0, 0, constants.S_IFREG | 0o600, nowNs, CONTROL_LINK_COUNT);
    insertInode.run(LOST_AND_FOUND_INODE, rootUid, rootGid, constants.S_IFDIR | 0o700, nowNs, 1);
    const name = new TextEncoder().encode('lost+found');
    const { lastInsertRowid } = connection.prepare('INSERT INTO names (name, refcount) VALUES (?, 1)').run(name);
    connection
      .prepare('INSERT INTO contents (name_id, inode, parent_inode) VALUES (?, ?, ?)')
      .run(lastInsertRowid, LOST_AND_FOUND_INODE, ROOT_INODE);
    connection.exec('COMMIT');
  } finally {
    connection.close();
  }
  syncFile(path);
  syncFile(dirname(path));
}

function syncFile(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
