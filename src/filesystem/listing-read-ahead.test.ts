import { expect, test } from 'vitest';
import type { DirectoryEntry, Inode, InodeId } from '../metadata/types.ts';
import { S_IFDIR, S_IFREG } from './file-mode.ts';
import { ListingReadAhead } from './listing-read-ahead.ts';

const BLOCK_BYTES = 1024 * 1024;
type Entry = DirectoryEntry & { readonly attributes: Inode };

/** Directory d holds files 1000 d + 1 and so on; what is fetched ahead is written down. */
class Tree {
  readonly directories = new Map<number, Entry[]>();
  readonly prefetched: number[] = [];
  readonly wanted = new Map<number, () => boolean>();
  readonly readAhead: ListingReadAhead;
  readonly #inodes = new Map<number, Inode>();

  constructor() {
    this.readAhead = new ListingReadAhead(
      {
        entries: {
          listWithInodes: (directory, cookie, limit) =>
            (this.directories.get(directory) ?? []).filter((entry) => entry.cookie > cookie).slice(0, limit),
        },
        inodes: { get: (id) => this.#inodes.get(id) },
      },
      {
        blockSizeBytes: BLOCK_BYTES,
        prefetch: (inode, wanted) => {
          this.prefetched.push(inode);
          this.wanted.set(inode, wanted);
        },
      },
    );
  }

  add(
    directory: number,
    fileCount: number,
    options: { readonly sizeBytes?: bigint; readonly subdirectories?: readonly number[] } = {},
  ): void {
    const files = Array.from({ length: fileCount }, (_, index) =>
      this.#entry(1000 * directory + index + 1, S_IFREG, options.sizeBytes ?? 100n),
    );
    const directories = (options.subdirectories ?? []).map((id) => this.#entry(id, S_IFDIR, 0n));
    this.directories.set(
      directory,
      [...files, ...directories].map((entry, index) => ({ ...entry, cookie: index + 1 })),
    );
  }

  /** As the kernel asks for it. */
  list(directory: number): void {
    this.readAhead.noteListed(directory as InodeId, this.directories.get(directory) ?? []);
  }

  read(...files: readonly number[]): void {
    for (const file of files) this.readAhead.noteRead(file as InodeId);
  }

  #entry(id: number, mode: number, size: bigint): Entry {
    const attributes = { id, mode, size } as unknown as Inode;
    this.#inodes.set(id, attributes);
    return { cookie: 0, name: Buffer.from(String(id)), inode: id as InodeId, attributes };
  }
}

test('whoever reads files in the order of a listing has those that follow fetched ahead, each once', () => {
  const tree = new Tree();
  tree.add(1, 300);
  tree.list(1);
  tree.read(1001, 1002);
  expect(tree.prefetched).toEqual([]);
  tree.read(1003);
  expect(tree.prefetched[0]).toBe(1004);
  for (let file = 1004; file <= 1300; file += 1) tree.read(file);
  expect(tree.prefetched).toEqual(Array.from({ length: 297 }, (_, index) => 1004 + index));
});

test('whoever reads here and there has nothing fetched ahead', () => {
  const tree = new Tree();
  tree.add(1, 300);
  tree.list(1);
  tree.read(1001, 1100, 1050, 1200, 1003, 1290, 1020);
  expect(tree.prefetched).toEqual([]);
});

test('the directory that comes next is listed ahead of its reader, subdirectories before siblings', () => {
  const tree = new Tree();
  tree.add(1, 3, { subdirectories: [2, 3] });
  tree.add(2, 2, { subdirectories: [4] });
  tree.add(4, 2);
  tree.add(3, 2);
  tree.list(1);
  tree.read(1001, 1002, 1003);
  expect(tree.prefetched).toEqual([2001, 2002, 4001, 4002, 3001, 3002]);
});

test('what a reader has passed, or left for another place, is not wanted any more', () => {
  const tree = new Tree();
  tree.add(1, 300);
  tree.list(1);
  tree.read(1001, 1002, 1003);
  expect(tree.wanted.get(1006)?.()).toBe(true);
  tree.read(1004, 1005, 1006);
  expect(tree.wanted.get(1006)?.()).toBe(false);
  expect(tree.wanted.get(1007)?.()).toBe(true);
  for (let reader = 0; reader < 8; reader += 1) tree.read(1100 + 20 * reader);
  expect(tree.wanted.get(1007)?.()).toBe(false);
});

test('large files are fetched ahead by their beginnings, and only as many as fit the window', () => {
  const tree = new Tree();
  tree.add(1, 300, { sizeBytes: BigInt(10 * BLOCK_BYTES) });
  tree.list(1);
  tree.read(1001, 1002, 1003);
  expect(tree.prefetched.length).toBe(16);
});

test('more files than are remembered: the oldest are forgotten, the newest known', () => {
  const tree = new Tree();
  for (let directory = 10; directory < 80; directory += 1) {
    tree.add(directory, 999);
    tree.list(directory);
  }
  tree.read(10_001, 10_002, 10_003);
  expect(tree.prefetched).toEqual([]);
  tree.read(79_001, 79_002, 79_003);
  expect(tree.prefetched[0]).toBe(79_004);
});
