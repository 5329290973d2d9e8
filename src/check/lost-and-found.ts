/** The directory lost+found: where checks put what has no place any more, or is not what it was. */
import { constants } from 'node:fs';
import { flattenedPath, freeName } from './entry-names.ts';
import { type Entry, ROOT, type Tree } from './tree.ts';

const NAME = Buffer.from('lost+found');
const FILE_MODE = constants.S_IFREG | 0o600;

export class LostAndFound {
  readonly #tree: Tree;
  #inode = 0n;

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  /** To be called before all else. Returns what had to be done, undefined if nothing. */
  ensure(): 'created' | 'replaced' | undefined {
    const existing = this.#tree.lookup(ROOT, NAME);
    if (existing !== undefined && this.#tree.isDirectory(existing.inode)) {
      this.#inode = existing.inode;
      return undefined;
    }
    if (existing !== undefined) this.#tree.moveEntry(existing, ROOT, freeName(this.#tree, ROOT, NAME));
    this.#inode = this.#tree.createInode(constants.S_IFDIR | 0o700);
    this.#tree.addEntry(ROOT, NAME, this.#inode);
    return existing === undefined ? 'created' : 'replaced';
  }

  get inode(): bigint {
    return this.#inode;
  }

  /** Gives an inode without entries one here. */
  adopt(inode: bigint, name: string = `inode-${inode}`): void {
    this.#tree.addEntry(this.#inode, freeName(this.#tree, this.#inode, Buffer.from(name)), inode);
  }

  /** Moves an entry here, under the path it had. */
  take(entry: Entry, path: Uint8Array = this.#tree.entryPath(entry)): void {
    if (entry.parent === this.#inode || entry.inode === this.#inode) return;
    this.#tree.moveEntry(entry, this.#inode, freeName(this.#tree, this.#inode, flattenedPath(path)));
  }

  /** Moves a damaged file here, with all its names. */
  takeFile(inode: bigint): void {
    for (const entry of this.#tree.entriesOf(inode)) this.take(entry);
  }

  /** A new file here. */
  newFile(name: Uint8Array | string): bigint {
    const inode = this.#tree.createInode(FILE_MODE);
    this.#tree.addEntry(this.#inode, freeName(this.#tree, this.#inode, flattenedPath(Buffer.from(name))), inode);
    return inode;
  }
}
