/**
 * Objects that nothing refers to any more, until they are deleted from the store: not before a complete metadata generation without them
 * is there. The queue is also in a file of lines `+id` and `-id`, appended before the database commits, so that a restart loses none; an id
 * that the database knows (again) is never deleted.
 */
import { appendFileSync, existsSync, fdatasync, closeSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Epoch } from '../metadata/database.ts';
import type { ObjectId } from '../metadata/types.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { BlockCacheLog, BlockDatabase } from './block-cache-options.ts';
import { dataObjectKey } from './object-ids.ts';

const BATCH_COUNT = 1000;
const FIRST_RETRY_MS = 5_000;
const MAX_RETRY_MS = 300_000;
/** The file is written anew when it has this many lines more than the queue has ids. */
const COMPACT_LINES = 50_000;
const PROGRESS_INTERVAL_MS = 200;

export interface RemovalQueueOptions {
  readonly path: string;
  readonly database: BlockDatabase;
  readonly objects: Pick<ObjectStore, 'deleteMany'>;
  readonly log: BlockCacheLog;
}

export interface RemovalOptions {
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

export class RemovalQueue {
  readonly #options: RemovalQueueOptions;
  /** Ids with the epoch in which they became unreferenced. */
  readonly #pending = new Map<ObjectId, Epoch>();
  #lineCount = 0;
  #unsynced = false;
  /** Newest epoch that a complete generation in the store contains. */
  #completeEpoch: Epoch = -1;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  #stopped = false;

  constructor(options: RemovalQueueOptions) {
    this.#options = options;
    this.#load();
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  #load(): void {
    const { path, database } = this.#options;
    if (!existsSync(path)) return;
    const ids = new Set<ObjectId>();
    for (const line of readFileSync(path, 'latin1').split('\n').slice(0, -1)) {
      const match = /^([+-])([0-9]+)$/.exec(line);
      if (!match) continue;
      const id = Number(match[2]) as ObjectId;
      if (match[1] === '+') ids.add(id);
      else ids.delete(id);
    }
    // The store's newest generation may be older than what made these unreferenced: wait for the next.
    for (const id of ids) if (!database.blocks.hasObject(id)) this.#pending.set(id, database.openEpoch);
    this.#rewrite();
  }

  #rewrite(): void {
    const { path } = this.#options;
    writeFileSync(`${path}.tmp`, [...this.#pending.keys()].map((id) => `+${id}\n`).join(''), { flush: true });
    renameSync(`${path}.tmp`, path);
    this.#lineCount = this.#pending.size;
  }

  #append(ids: readonly ObjectId[], sign: '+' | '-'): void {
    if (ids.length === 0) return;
    if (this.#lineCount > this.#pending.size + COMPACT_LINES) this.#rewrite();
    appendFileSync(this.#options.path, ids.map((id) => `${sign}${id}\n`).join(''));
    this.#lineCount += ids.length;
    this.#unsynced = true;
  }

  /** Takes over what the database let go of in the open transaction. */
  collect(): void {
    const ids = this.#options.database.blocks.takeUnreferenced();
    if (ids.length > 0) this.#add(ids, this.#options.database.openEpoch);
  }

  /** An object that was stored but that no database ever referred to. */
  addUnused(id: ObjectId): void {
    this.#add([id], -1);
    this.#start();
  }

  #add(ids: readonly ObjectId[], epoch: Epoch): void {
    for (const id of ids) this.#pending.set(id, epoch);
    try {
      this.#append(ids, '+');
    } catch (error) {
      this.#options.log.error('Cannot note which objects are to be deleted; after a crash they would stay in the store', error);
    }
  }

  generationComplete(epoch: Epoch): void {
    this.#completeEpoch = Math.max(this.#completeEpoch, epoch);
    this.#start();
  }

  #start(): void {
    if (this.#stopped || this.#running || this.#timer) return;
    this.#running = this.#drain().then(
      () => {
        this.#retryMs = FIRST_RETRY_MS;
        this.#running = undefined;
      },
      (error: unknown) => {
        this.#running = undefined;
        this.#options.log.error(`Cannot delete objects; will try again in ${this.#retryMs / 1000} s`, error);
        if (this.#stopped) return;
        this.#timer = setTimeout(() => {
          this.#timer = undefined;
          this.#start();
        }, this.#retryMs).unref();
        this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
      },
    );
  }

  async #drain(): Promise<void> {
    const { database, objects } = this.#options;
    for (;;) {
      const batch: ObjectId[] = [];
      for (const [id, epoch] of this.#pending) {
        if (epoch > this.#completeEpoch) continue;
        if (database.blocks.hasObject(id)) throw new Error(`object ${dataObjectKey(id)} is to be deleted but in use`);
        batch.push(id);
        if (batch.length === BATCH_COUNT) break;
      }
      if (batch.length === 0 || this.#stopped) return;
      await objects.deleteMany(batch.map(dataObjectKey));
      for (const id of batch) this.#pending.delete(id);
      this.#append(batch, '-');
    }
  }

  /** Makes the file durable. */
  async sync(): Promise<void> {
    if (!this.#unsynced) return;
    this.#unsynced = false;
    const fd = openSync(this.#options.path, 'r');
    try {
      await promisify(fdatasync)(fd);
    } catch (error) {
      this.#unsynced = true;
      throw error;
    } finally {
      closeSync(fd);
    }
  }

  /** Deletes all that may be, now; what fails is in the file. Reports progress. Does not reject: only space is at stake. */
  async finish({ onProgress = () => {} }: RemovalOptions): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#running;
    const total = this.#pending.size;
    const timer = setInterval(() => onProgress({ done: total - this.#pending.size, total }), PROGRESS_INTERVAL_MS);
    try {
      await this.#drain();
    } catch (error) {
      this.#options.log.error('Cannot delete all objects that are not needed any more; the next mount on this machine does', error);
    } finally {
      clearInterval(timer);
    }
  }

  /** Resolves when no deletion is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }
}
