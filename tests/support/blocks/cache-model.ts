/**
 * A block cache beside plain byte arrays: runs operations on both and compares, through crashes too. After a crash a file has the size that
 * the database fell back to, and every byte a value that it had at some time since the last point that was made durable.
 */
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBlockCache } from '../../../src/blocks/open-block-cache.ts';
import type { SegmentedBlockCache } from '../../../src/blocks/segmented-block-cache.ts';
import type { Epoch } from '../../../src/metadata/database.ts';
import type { InodeId } from '../../../src/metadata/types.ts';
import { FsError } from '../../../src/util/errors.ts';
import { patternBytes } from './block-cache-fixture.ts';
import { FakeBlockDatabase } from './fake-block-database.ts';
import { FakeObjectStore, storeFailure } from './fake-object-store.ts';
import { copyAfterPowerCut, copyDirectory, forgetSyncs } from './power-cut.ts';

export type Operation =
  | { readonly kind: 'write'; readonly file: number; readonly offset: number; readonly length: number; readonly seed: number }
  | { readonly kind: 'truncate'; readonly file: number; readonly size: number }
  | { readonly kind: 'punch'; readonly file: number; readonly offset: number; readonly length: number }
  | {
      readonly kind: 'clone';
      readonly source: number;
      readonly target: number;
      readonly from: number;
      readonly to: number;
      readonly length: number;
      readonly aligned: boolean;
    }
  | { readonly kind: 'remove'; readonly file: number }
  | { readonly kind: 'read'; readonly file: number }
  | { readonly kind: 'flush'; readonly file: number; readonly background: boolean }
  | { readonly kind: 'sync'; readonly file: number }
  | { readonly kind: 'commit' | 'durable' | 'drop' | 'generation' | 'breathe' }
  | { readonly kind: 'failing'; readonly puts: boolean; readonly gets: boolean }
  | { readonly kind: 'crash'; readonly powerCut: boolean; readonly seed: number }
  | { readonly kind: 'reopen'; readonly keep: boolean };

export interface ModelSetup {
  readonly blockSizeBytes: number;
  readonly sizeLimitBytes: number;
  readonly entryLimit: number;
}

const FILE_COUNT = 4;
const MAX_OPEN_SEGMENTS = 3;
const CONNECTIONS = 3;

interface FileModel {
  /** What the file was after each operation; the last is now. */
  readonly versions: Uint8Array[];
  /** The newest version that is known to be durable as to data. */
  syncedIndex: number;
  /** The newest version that is known to be in the store; durable when the database is. */
  flushedIndex: number;
}

/** A generator of numbers in [0, 1) that repeats. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
}

export class CacheModel implements AsyncDisposable {
  readonly #setup: ModelSetup;
  #directory: string;
  #database = new FakeBlockDatabase();
  #store = new FakeObjectStore();
  #cache: SegmentedBlockCache | undefined;
  readonly #files = new Map<InodeId, FileModel>();
  /** Which inode each of the files is now. */
  #slots: InodeId[] = [];
  #nextInode = 10;
  /** At each commit: which version of which inode, and the state of the counters. */
  readonly #commits = new Map<Epoch, { indices: Map<InodeId, number>; slots: InodeId[]; nextInode: number }>();
  #generationObjects = new Set<string>();
  #entryLimit: number;
  #failing = { puts: false, gets: false };
  #background: Promise<void>[] = [];
  /** Nothing is committed after a crash before its outcome was compared. */
  #adopted: Promise<void> = Promise.resolve();
  readonly #zombies: Promise<void>[] = [];
  readonly #directories: string[] = [];

  constructor(setup: ModelSetup) {
    this.#setup = setup;
    this.#entryLimit = setup.entryLimit;
    this.#directory = this.#newDirectory();
  }

  #newDirectory(): string {
    const directory = mkdtempSync(join(tmpdir(), 's3ql-model-'));
    this.#directories.push(directory);
    return directory;
  }

  get #open(): SegmentedBlockCache {
    if (!this.#cache) throw new Error('the cache is not open');
    return this.#cache;
  }

  async start(): Promise<void> {
    for (let file = 0; file < FILE_COUNT; file++) this.#createFile(file);
    this.#commit();
    this.#database.makeDurable();
    await this.#openCache();
  }

  #createFile(file: number): void {
    const inode = this.#nextInode as InodeId;
    this.#nextInode += 1;
    this.#slots[file] = inode;
    this.#files.set(inode, { versions: [new Uint8Array(0)], syncedIndex: 0, flushedIndex: 0 });
    this.#database.setSize(inode, 0n);
  }

  async #openCache(): Promise<void> {
    const database = this.#database;
    const store = this.#store;
    store.before = async (operation, keys) => {
      await new Promise((resolve) => setImmediate(resolve));
      if (database !== this.#database) throw storeFailure();
      if (operation === 'put') {
        if (this.#failing.puts) throw storeFailure();
        for (const key of keys) if (idOf(key) >= database.durableNextObjectId) throw new Error(`${key} is stored before its id is durable`);
      }
      if (operation === 'get' && this.#failing.gets) throw storeFailure();
      if (operation === 'delete') {
        const inUse = new Set([...database.objectIds, ...database.durableObjectIds()].map((id) => `s3ql_data_${id}`));
        for (const key of keys) if (this.#generationObjects.has(key) || inUse.has(key)) throw new Error(`${key} is deleted but needed`);
      }
    };
    const { cache } = await openBlockCache({
      directory: this.#directory,
      blockSizeBytes: this.#setup.blockSizeBytes,
      database,
      objects: store,
      limits: { sizeBytes: this.#setup.sizeLimitBytes, entryCount: this.#setup.entryLimit },
      compression: { algorithm: 'none', level: 0 },
      requestDurable: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        await this.#adopted;
        if (database !== this.#database) throw storeFailure();
        await this.#durable();
      },
      log: { info: () => {}, warn: () => {}, error: () => {} },
      dirtyUploadDelayMs: 5,
      maxUploads: CONNECTIONS,
      maxDownloads: CONNECTIONS,
      maxOpenSegments: MAX_OPEN_SEGMENTS,
      whenStuck: 'fail',
      readAheadBytes: 4 * this.#setup.blockSizeBytes,
    });
    this.#cache = cache;
  }

  #commit(): Epoch {
    const epoch = this.#database.commit();
    const indices = new Map([...this.#files].map(([inode, { versions }]) => [inode, versions.length - 1]));
    this.#commits.set(epoch, { indices, slots: [...this.#slots], nextInode: this.#nextInode });
    return epoch;
  }

  /** The commit cycle. */
  async #durable(): Promise<void> {
    await this.#cache?.syncOrdered();
    this.#commit();
    const epoch = this.#database.makeDurable();
    for (const model of this.#files.values()) model.syncedIndex = Math.max(model.syncedIndex, model.flushedIndex);
    this.#cache?.epochDurable(epoch);
  }

  #file(file: number): { inode: InodeId; model: FileModel; now: Uint8Array } {
    const inode = this.#slots[file % FILE_COUNT];
    const model = inode === undefined ? undefined : this.#files.get(inode);
    const now = model?.versions.at(-1);
    if (inode === undefined || !model || !now) throw new Error('no such file');
    return { inode, model, now };
  }

  async run(operation: Operation): Promise<void> {
    switch (operation.kind) {
      case 'write':
        await this.#write(operation.file, operation.offset, patternBytes(operation.seed, operation.length));
        break;
      case 'truncate':
        await this.#truncate(operation.file, operation.size);
        break;
      case 'punch': {
        const { inode, model, now } = this.#file(operation.file);
        const next = now.slice();
        next.fill(0, operation.offset, operation.offset + operation.length);
        await this.#change(inode, model, next, () => this.#open.punch(inode, BigInt(operation.offset), BigInt(operation.length)));
        break;
      }
      case 'clone':
        await this.#clone(operation);
        break;
      case 'remove': {
        const { inode } = this.#file(operation.file);
        await this.#open.remove(inode);
        this.#database.deleteInode(inode);
        this.#createFile(operation.file % FILE_COUNT);
        break;
      }
      case 'read': {
        const { inode, now } = this.#file(operation.file);
        await this.#compare(inode, now);
        break;
      }
      case 'flush': {
        const { inode, model } = this.#file(operation.file);
        const index = model.versions.length - 1;
        const flushed = failed(() => this.#open.flush(inode)).then((failure) => {
          if (!failure) model.flushedIndex = index;
        });
        if (operation.background) this.#background.push(flushed);
        else await flushed;
        break;
      }
      case 'sync': {
        const { inode, model } = this.#file(operation.file);
        const index = model.versions.length - 1;
        await this.#open.syncLocal(inode);
        await this.#durable();
        model.syncedIndex = index;
        break;
      }
      case 'commit':
        this.#commit();
        break;
      case 'durable':
        await this.#durable();
        break;
      case 'generation':
        await this.#durable();
        this.#generationObjects = new Set(this.#database.objectIds.map((id) => `s3ql_data_${id}`));
        this.#open.generationComplete(this.#database.durableEpoch);
        break;
      case 'drop':
        await tolerate(this.#open.drop());
        break;
      case 'breathe':
        await new Promise((resolve) => setTimeout(resolve, 6));
        break;
      case 'failing':
        this.#failing = { puts: operation.puts, gets: operation.gets };
        break;
      case 'crash':
        await this.#crash(operation.powerCut, randomFrom(operation.seed));
        break;
      case 'reopen':
        await this.#reopen(operation.keep);
        break;
    }
    this.#checkLimits();
  }

  async #write(file: number, offset: number, data: Uint8Array): Promise<void> {
    const { inode, model, now } = this.#file(file);
    const next = new Uint8Array(Math.max(now.length, offset + data.length));
    next.set(now);
    next.set(data, offset);
    await this.#change(inode, model, next, () => this.#open.write(inode, BigInt(offset), data));
  }

  /** A change that may fail half-way for want of room or of the store; size and version follow it. */
  async #change(inode: InodeId, model: FileModel, next: Uint8Array, change: () => void | Promise<void>): Promise<void> {
    const before = model.versions.at(-1) ?? new Uint8Array(0);
    if (await failed(change)) {
      this.#failing = { puts: false, gets: false };
      // A copy may have failed half-way: what lies beyond the end goes.
      await this.#open.flush();
      await this.#open.truncate(inode, BigInt(before.length));
      const half = await this.#readAll(inode, before.length);
      for (const [at, byte] of half.entries()) {
        if (byte !== before[at] && byte !== next[at]) throw new Error(`byte ${at} of inode ${inode} is ${byte} after a failed change`);
      }
      model.versions.push(next, half);
      return;
    }
    this.#database.setSize(inode, BigInt(next.length));
    model.versions.push(next);
  }

  async #truncate(file: number, size: number): Promise<void> {
    const { inode, model, now } = this.#file(file);
    const next = new Uint8Array(size);
    next.set(now.subarray(0, size));
    const applied = (): void => {
      this.#database.setSize(inode, BigInt(size));
      model.versions.push(next);
    };
    if (size >= now.length) applied();
    else await failed(() => this.#open.truncate(inode, BigInt(size), applied));
  }

  async #clone(operation: Operation & { kind: 'clone' }): Promise<void> {
    const source = this.#file(operation.source);
    const target = this.#file(operation.target);
    const { blockSizeBytes } = this.#setup;
    const align = (offset: number): number => (operation.aligned ? Math.floor(offset / blockSizeBytes) * blockSizeBytes : offset);
    const from = align(operation.from);
    const to = align(operation.to);
    const length = Math.min(operation.length, source.now.length - from);
    if (length <= 0) return;
    if (source.inode === target.inode && from < to + length && to < from + length) return;
    const next = new Uint8Array(Math.max(target.now.length, to + length));
    next.set(target.now);
    next.set(source.now.subarray(from, from + length), to);
    await this.#change(target.inode, target.model, next, () =>
      this.#open.clone(source.inode, BigInt(from), target.inode, BigInt(to), BigInt(length)),
    );
  }

  async #readAll(inode: InodeId, lengthBytes: number): Promise<Uint8Array> {
    const into = new Uint8Array(lengthBytes).fill(0xee);
    const part = Math.max(1, Math.ceil(lengthBytes / 3));
    for (let at = 0; at < lengthBytes; at += part) {
      await this.#open.read(inode, BigInt(at), into.subarray(at, at + part), { handle: inode, fileSize: BigInt(lengthBytes) });
    }
    return into;
  }

  async #compare(inode: InodeId, expected: Uint8Array): Promise<void> {
    let content: Uint8Array;
    try {
      content = await this.#readAll(inode, expected.length);
    } catch (error) {
      if (this.#failing.gets && error instanceof FsError) return;
      throw error;
    }
    const at = content.findIndex((byte, index) => byte !== expected[index]);
    if (at >= 0) throw new Error(`byte ${at} of inode ${inode} is ${content[at]}, should be ${expected[at]}`);
  }

  async #crash(powerCut: boolean, random: () => number): Promise<void> {
    const { committedEpoch, durableEpoch } = this.#database;
    const choices = [...this.#commits.keys()].filter((epoch) => epoch >= durableEpoch && epoch <= committedEpoch);
    const epoch = powerCut ? (choices[Math.floor(random() * choices.length)] ?? committedEpoch) : committedEpoch;
    const zombie = this.#cache;
    const from = this.#directory;
    this.#directory = this.#newDirectory();
    if (powerCut) {
      copyAfterPowerCut(from, this.#directory, random);
      const session = join(this.#directory, 'session');
      writeFileSync(session, readFileSync(session, 'latin1').replace(/\n.*\n/, '\nanother boot\n'));
    } else copyDirectory(from, this.#directory);
    this.#database = this.#database.fork(epoch);
    this.#store = new FakeObjectStore(this.#store.content);
    this.#background = [];
    if (zombie) this.#zombies.push(tolerate(zombie.close({ keep: true })));
    const commit = this.#commits.get(epoch);
    if (!commit) throw new Error('epoch without commit');
    for (const later of this.#commits.keys()) if (later > epoch) this.#commits.delete(later);
    this.#failing = { puts: false, gets: false };
    const adopted = Promise.withResolvers<void>();
    this.#adopted = adopted.promise;
    await this.#openCache();
    // Blocks that had been given up may be back.
    this.#entryLimit = Math.max(this.#setup.entryLimit, this.#open.stats().entryCount);
    await this.#adopt(commit, powerCut).finally(adopted.resolve);
    this.#commits.set(epoch, { ...commit, indices: new Map([...this.#files.keys()].map((inode) => [inode, 0])) });
  }

  /** Checks what the crash has left against what it may leave; that is the state from now on. */
  async #adopt(commit: { indices: Map<InodeId, number>; slots: InodeId[]; nextInode: number }, powerCut: boolean): Promise<void> {
    this.#slots = [...commit.slots];
    this.#nextInode = commit.nextInode;
    const old = new Map(this.#files);
    this.#files.clear();
    for (const inode of this.#slots) {
      const model = old.get(inode);
      const index = commit.indices.get(inode);
      const size = this.#database.inodes.get(inode)?.size;
      if (!model || index === undefined || size === undefined) throw new Error(`inode ${inode} is missing after the crash`);
      const possible = model.versions.slice(powerCut ? Math.min(index, model.syncedIndex) : index);
      const content = await this.#readAll(inode, Number(size));
      for (const [at, byte] of content.entries()) {
        if (!possible.some((version) => (version[at] ?? 0) === byte)) {
          throw new Error(
            `after the crash byte ${at} of inode ${inode} is ${byte}; it was ${possible.map((version) => version[at] ?? 0).join(', ')}`,
          );
        }
      }
      this.#files.set(inode, { versions: [content], syncedIndex: 0, flushedIndex: 0 });
    }
  }

  async #reopen(keep: boolean): Promise<void> {
    await Promise.all(this.#background);
    this.#background = [];
    await this.#durable();
    const index = new Map([...this.#files].map(([inode, { versions }]) => [inode, versions.length - 1]));
    await this.#open.close({ keep });
    this.#cache = undefined;
    await this.#durable();
    await this.#openCache();
    for (const [inode, model] of this.#files) model.syncedIndex = index.get(inode) ?? 0;
  }

  #checkLimits(): void {
    const { sizeBytes, entryCount } = this.#open.stats();
    const minimumBytes = 2 * (Math.ceil(this.#setup.blockSizeBytes / 4096) * 4096 + 12_288);
    const limitBytes = Math.max(this.#setup.sizeLimitBytes, minimumBytes);
    if (sizeBytes > limitBytes) throw new Error(`the cache has ${sizeBytes} bytes of ${limitBytes}`);
    if (entryCount > this.#entryLimit) throw new Error(`the cache has ${entryCount} entries of ${this.#entryLimit}`);
    this.#entryLimit = Math.max(this.#setup.entryLimit, entryCount);
    const onDisk = readdirSync(this.#directory)
      .filter((name) => /^[0-9]+$/.test(name))
      .reduce((sum, name) => sum + (statSync(join(this.#directory, name), { throwIfNoEntry: false })?.blocks ?? 0) * 512, 0);
    if (onDisk > limitBytes) throw new Error(`the segments have ${onDisk} bytes of ${limitBytes} on disk`);
    const open = readdirSync('/proc/self/fd').filter((fd) => linkOf(fd).startsWith(`${this.#directory}/`)).length;
    // Besides those in use at this moment.
    if (open > MAX_OPEN_SEGMENTS + CONNECTIONS + 4) throw new Error(`${open} descriptors are open`);
  }

  /** Everything comes to rest; then all must agree. */
  async finish(): Promise<void> {
    this.#failing = { puts: false, gets: false };
    await Promise.all(this.#background);
    await this.#open.flush();
    for (const inode of this.#slots) await this.#compare(inode, this.#files.get(inode)?.versions.at(-1) ?? new Uint8Array(0));
    await this.#open.drop();
    this.#database.check();
    const { entryCount, sizeBytes } = this.#open.stats();
    if (entryCount !== 0 || sizeBytes !== 0) throw new Error(`after drop the cache has ${entryCount} entries and ${sizeBytes} bytes`);
    for (const id of this.#database.objectIds)
      if (!this.#store.content.has(`s3ql_data_${id}`)) throw new Error(`object ${id} is not stored`);
    for (const inode of this.#slots) await this.#compare(inode, this.#files.get(inode)?.versions.at(-1) ?? new Uint8Array(0));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#background);
    await this.#cache?.close({ keep: false });
    await Promise.all(this.#zombies);
    for (const directory of this.#directories) {
      forgetSyncs(directory);
      rmSync(directory, { recursive: true, force: true });
    }
  }
}

function idOf(key: string): number {
  return Number(key.slice('s3ql_data_'.length));
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}

/** Whether it failed with what a system call gets. */
async function failed(operation: () => void | Promise<void>): Promise<boolean> {
  try {
    await operation();
    return false;
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    return true;
  }
}

/** Waits for what may fail because the store is told to. */
async function tolerate(promise: Promise<void>): Promise<void> {
  await failed(() => promise);
}
