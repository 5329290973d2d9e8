/**
 * When a deleted inode is purged. The kernel counts how often we told it of an inode (lookup) and takes that back (forget); an inode without
 * a directory entry is purged when both are at zero: then nothing has it open and nothing can ask for it again.
 *
 * Owns the lookup counts, the set of orphans (inodes without an entry that still live) and the last known parent of each directory that the
 * kernel knows.
 */
import type { InodeId } from '../metadata/types.ts';
import { LookupCounts } from './lookup-counts.ts';

export class InodeLifetime {
  readonly #lookups = new LookupCounts();
  readonly #parents = new Map<InodeId, InodeId>();
  readonly #orphans = new Set<InodeId>();
  readonly #purge: (id: InodeId) => void;

  /** `purge` removes the inode with all it has; it must not throw. */
  constructor(purge: (id: InodeId) => void) {
    this.#purge = purge;
  }

  /** The kernel is told of the inode once more. */
  addLookup(id: InodeId, parentIfDirectory?: InodeId): void {
    this.#lookups.increment(id);
    if (parentIfDirectory !== undefined) this.#parents.set(id, parentIfDirectory);
  }

  forget(id: InodeId, count: number): void {
    if (this.#lookups.subtract(id, count) !== 0) return;
    this.#parents.delete(id);
    if (this.#orphans.delete(id)) this.#purge(id);
  }

  /** The last directory entry of the inode is gone (or it never had one). */
  orphaned(id: InodeId): void {
    if (this.isKnown(id)) this.#orphans.add(id);
    else this.#purge(id);
  }

  /** An orphan got a name (linkat of an O_TMPFILE). */
  adopted(id: InodeId): void {
    this.#orphans.delete(id);
  }

  moved(directory: InodeId, newParent: InodeId): void {
    if (this.#parents.has(directory)) this.#parents.set(directory, newParent);
  }

  parentOf(directory: InodeId): InodeId | undefined {
    return this.#parents.get(directory);
  }

  isKnown(id: InodeId): boolean {
    return this.#lookups.get(id) > 0;
  }

  /** The kernel is gone: it will forget nothing any more. Purges all orphans. */
  forgetAll(): void {
    this.#lookups.clear();
    this.#parents.clear();
    const orphans = [...this.#orphans];
    this.#orphans.clear();
    for (const id of orphans) this.#purge(id);
  }
}
