/**
 * Notices readers that go through the files of a tree in the order of its listings, as tar, cp -r and grep -r do, and has the beginnings of
 * the files that they will want next fetched ahead of them. Small files are one block each, so nothing else could hide a store's delay.
 *
 * Knows the order from the listings that were asked for. Where a reader comes to the end of what is known, the directory that is next in
 * that order is listed here, ahead of the reader too. All of it is a guess: nothing depends on it but time.
 */
import type { BlockCache } from '../blocks/block-cache.ts';
import type { MetadataDatabase } from '../metadata/database.ts';
import type { DirectoryEntry, Inode, InodeId } from '../metadata/types.ts';
import { isDirectory, isRegularFile } from './file-mode.ts';

/** Files whose place in the order is remembered. */
const MAX_FILES = 64 * 1024;
/** Directories that are known but not listed yet. */
const MAX_DIRECTORIES = 4096;
/** Readers that are told apart. */
const MAX_READERS = 8;
/** How many files a reader may leave out and still be in order. */
const SLACK_FILES = 8;
/** Files in order before anything is fetched ahead. */
const MIN_RUN_LENGTH = 2;
const MAX_WINDOW_FILES = 128;
const MAX_WINDOW_BYTES = 16 * 1024 * 1024;
/** Entries of a directory that are listed at a time. */
const PAGE_ENTRIES = 128;

interface Reader {
  /** Of the file read last. */
  position: number;
  runLength: number;
  /** Files before this position were asked for. */
  frontier: number;
}

interface UnlistedDirectory {
  readonly id: InodeId;
  /** Where its listing goes on. */
  cookie: number;
}

/** What is asked of the database. */
export interface ListedDatabase {
  readonly entries: Pick<MetadataDatabase['entries'], 'listWithInodes'>;
  readonly inodes: Pick<MetadataDatabase['inodes'], 'get'>;
}

type ListedEntry = DirectoryEntry & { readonly attributes: Inode };

export class ListingReadAhead {
  readonly #database: ListedDatabase;
  readonly #blocks: Pick<BlockCache, 'prefetch' | 'blockSizeBytes'>;
  /** Files in listing order: position modulo MAX_FILES. */
  readonly #files = new Float64Array(MAX_FILES);
  readonly #positions = new Map<InodeId, number>();
  #end = 0;
  /** In the order in which a reader will come to them. */
  readonly #unlisted: UnlistedDirectory[] = [];
  /** The directory listed last, and where in `#unlisted` its next subdirectory belongs. */
  #listing: InodeId | undefined;
  #insertAt = 0;
  /** In order of last use. */
  readonly #readers: Reader[] = [];

  constructor(database: ListedDatabase, blocks: Pick<BlockCache, 'prefetch' | 'blockSizeBytes'>) {
    this.#database = database;
    this.#blocks = blocks;
  }

  /** A part of a directory's listing, in its order. Parts that are known already change nothing. */
  noteListed(directory: InodeId, entries: readonly ListedEntry[]): void {
    if (directory !== this.#listing) {
      this.#listing = directory;
      this.#insertAt = 0;
      const at = this.#unlisted.findIndex(({ id }) => id === directory);
      if (at >= 0) this.#unlisted.splice(at, 1);
    }
    for (const { inode, attributes } of entries) {
      if (isRegularFile(attributes.mode)) this.#addFile(inode);
      else if (isDirectory(attributes.mode)) this.#addDirectory(inode);
    }
  }

  /** A file is read from its beginning. */
  noteRead(file: InodeId): void {
    const position = this.#positions.get(file);
    if (position === undefined) return;
    const reader = this.#readerAt(position);
    if (reader.runLength < MIN_RUN_LENGTH) return;
    const window = Math.min(MAX_WINDOW_FILES, 4 << Math.min(reader.runLength, 5));
    // In portions, so that requests come together.
    if (reader.frontier - position < window / 2) this.#fetch(reader, window);
  }

  #readerAt(position: number): Reader {
    const at = this.#readers.findIndex((reader) => position >= reader.position && position - reader.position <= SLACK_FILES);
    const [found] = at < 0 ? [] : this.#readers.splice(at, 1);
    const reader = found ?? { position, runLength: 0, frontier: position + 1 };
    if (position > reader.position) reader.runLength += 1;
    reader.position = position;
    reader.frontier = Math.max(reader.frontier, position + 1);
    this.#readers.push(reader);
    if (this.#readers.length > MAX_READERS) this.#readers.shift();
    return reader;
  }

  #fetch(reader: Reader, window: number): void {
    let windowBytes = 0;
    for (let at = Math.max(reader.position + 1, this.#end - MAX_FILES); at <= reader.position + window; at += 1) {
      if (at >= this.#end && !this.#listNext()) return;
      const file = this.#files[at % MAX_FILES] as InodeId;
      const size = this.#database.inodes.get(file)?.size;
      if (size === undefined || size === 0n) continue;
      windowBytes += Math.min(Number(size), this.#blocks.blockSizeBytes);
      if (windowBytes > MAX_WINDOW_BYTES) return;
      if (at < reader.frontier) continue;
      reader.frontier = at + 1;
      this.#blocks.prefetch(file, () => reader.position < at && this.#readers.includes(reader));
    }
  }

  /** Lists the directory to which a reader comes next. Returns whether there are more files now. */
  #listNext(): boolean {
    const before = this.#end;
    for (let next = this.#unlisted[0]; next !== undefined && this.#end === before; next = this.#unlisted[0]) {
      const page = this.#database.entries.listWithInodes(next.id, next.cookie, PAGE_ENTRIES);
      const { cookie } = page.at(-1) ?? next;
      const hasMore = page.length === PAGE_ENTRIES;
      this.noteListed(next.id, page);
      if (hasMore) this.#unlisted.unshift({ id: next.id, cookie });
      this.#listing = undefined;
    }
    return this.#end > before;
  }

  #addFile(file: InodeId): void {
    if (this.#positions.has(file)) return;
    const slot = this.#end % MAX_FILES;
    if (this.#end >= MAX_FILES) this.#positions.delete(this.#files[slot] as InodeId);
    this.#files[slot] = file;
    this.#positions.set(file, this.#end);
    this.#end += 1;
  }

  #addDirectory(id: InodeId): void {
    if (this.#unlisted.length >= MAX_DIRECTORIES || this.#unlisted.some((known) => known.id === id)) return;
    this.#unlisted.splice(this.#insertAt, 0, { id, cookie: 0 });
    this.#insertAt += 1;
  }
}
