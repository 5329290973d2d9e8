/**
 * When a deleted inode is purged. The kernel counts how often we told it of an inode (lookup) and takes that back (forget); an inode without
 * a directory entry is purged when both are at zero: then nothing has it open and nothing can ask for it again.
 *
 * Owns the lookup counts, the set of orphans (inodes without an entry that still live) and the last known parent of each directory.
 */
import type { InodeId } from '../metadata/types.ts';

interface Known {
  lookupCount: number;
  /** The directory through which this directory was last seen; undefined for other files. */
  parent: InodeId | undefined;
}

export class InodeLifetime {
  readonly #known = new Map<InodeId, Known>();
  readonly #orphans = new Set<InodeId>();
  readonly #purge: (id: InodeId) => void;

  /** `purge` removes the inode with all it has; it must not throw. */
  constructor(purge: (id: InodeId) => void) {
    this.#purge = purge;
  }

  /** The kernel is told of the inode once more. */
  addLookup(id: InodeId, parentIfDirectory?: InodeId): void {
    const known = this.#known.get(id);
    if (known === undefined) {
      this.#known.set(id, { lookupCount: 1, parent: parentIfDirectory });
    } else {
      known.lookupCount += 1;
      known.parent = parentIfDirectory ?? known.parent;
    }
  }

  forget(id: InodeId, count: number): void {
    const known = this.#known.get(id);
    if (known === undefined) return;
    known.lookupCount -= count;
    if (known.lookupCount > 0) return;
    this.#known.delete(id);
    if (this.#orphans.delete(id)) this.#purge(id);
  }

  /** The last directory entry of the inode is gone (or it never had one). */
  orphaned(id: InodeId): void {
    if (this.#known.has(id)) this.#orphans.add(id);
    else this.#purge(id);
  }

  /** An orphan got a name (linkat of an O_TMPFILE). */
  adopted(id: InodeId): void {
    this.#orphans.delete(id);
  }

  moved(directory: InodeId, newParent: InodeId): void {
    const known = this.#known.get(directory);
    if (known !== undefined) known.parent = newParent;
  }

  parentOf(directory: InodeId): InodeId | undefined {
    return this.#known.get(directory)?.parent;
  }

  isKnown(id: InodeId): boolean {
    return this.#known.has(id);
  }

  /** The kernel is gone: it will forget nothing any more. Purges all orphans. */
  forgetAll(): void {
    this.#known.clear();
    const orphans = [...this.#orphans];
    this.#orphans.clear();
    for (const id of orphans) this.#purge(id);
  }
}
