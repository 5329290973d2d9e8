/** Removes an inode that nothing refers to any more, with all it has. Blocks of huge files go in slices; the row goes last, so that a crash in between leaves an orphan that the next mount purges. */
import type { BlockCache } from '../blocks/block-cache.ts';
import type { MetadataDatabase } from '../metadata/database.ts';
import type { InodeId } from '../metadata/types.ts';
import { isRegularFile, isSymlink } from './file-mode.ts';

export class InodePurge {
  readonly #database: MetadataDatabase;
  readonly #blocks: BlockCache;
  readonly #onError: (id: InodeId, error: unknown) => void;
  readonly #running = new Set<Promise<void>>();

  constructor(database: MetadataDatabase, blocks: BlockCache, onError: (id: InodeId, error: unknown) => void) {
    this.#database = database;
    this.#blocks = blocks;
    this.#onError = onError;
  }

  /** Never throws: what could not be purged stays an orphan for the next mount. */
  purge(id: InodeId): void {
    try {
      const inode = this.#database.inodes.get(id);
      if (inode === undefined || inode.linkCount > 0) return;
      const removed = isRegularFile(inode.mode) ? this.#blocks.remove(id) : undefined;
      if (removed === undefined) {
        this.#removeRows(id, isSymlink(inode.mode));
        return;
      }
      const running: Promise<void> = removed
        .then(() => this.#removeRows(id, false))
        .catch((error: unknown) => this.#onError(id, error))
        .finally(() => this.#running.delete(running));
      this.#running.add(running);
    } catch (error) {
      this.#onError(id, error);
    }
  }

  /** Resolves when all purges under way are done. */
  async finish(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #removeRows(id: InodeId, symlink: boolean): void {
    if (symlink) this.#database.symlinks.delete(id);
    if (this.#database.xattrs.any()) this.#database.xattrs.removeAll(id);
    this.#database.inodes.delete(id);
  }
}
