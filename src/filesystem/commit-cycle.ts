/**
 * When changes become durable on local storage (ARCHITECTURE.md, "Durability"): the order segments -> commit -> WAL, for one fsync or for
 * many at once.
 *
 * Owns the set of files that were renamed over others while their data was not durable: their segments are synced before any commit, so
 * that after a power cut the name shows the old or the new content, never an empty or mixed one.
 */
import type { BlockCache } from '../blocks/block-cache.ts';
import type { Epoch, MetadataDatabase } from '../metadata/database.ts';
import type { InodeId } from '../metadata/types.ts';

/** After so many changes a commit is started; twice as many are committed at once, to bound SQLite's memory. */
const COMMIT_LIMITS = { afterChanges: 4_000, nowChanges: 40_000 };
/** On a full disk each commit must fit what is left of what was set aside. */
const COMMIT_LIMITS_ON_RESERVE = { afterChanges: 400, nowChanges: 800 };
/** A commit is not put off for ever by what comes while its forerunners are synced. */
const MAX_ROUNDS = 1_000;

export interface CommitCycleOptions {
  readonly database: Pick<MetadataDatabase, 'commit' | 'syncCommitted' | 'pendingChangeCount' | 'onReserve'>;
  readonly blocks: Pick<BlockCache, 'syncLocal' | 'syncOrdered' | 'isOrdered' | 'epochDurable'>;
  /** How often changes are made durable without anyone asking, in ms. */
  readonly intervalMs: number;
  /** A cycle nobody waited for failed (full disk, I/O error); it is tried again at the next interval. */
  readonly onError: (error: unknown) => void;
  /** Told how each cycle ended, whoever waited for it: the error, or undefined. */
  readonly onOutcome?: (error: unknown) => void;
}

export class CommitCycle {
  readonly #options: CommitCycleOptions;
  readonly #replaced = new Set<InodeId>();
  #running: Promise<Epoch> | undefined;
  /** The cycle that starts when the running one ends; everybody who asks meanwhile shares it. */
  #next: Promise<Epoch> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #durableEpoch: Epoch = -1;
  #committedChangeCount = 0;

  constructor(options: CommitCycleOptions) {
    this.#options = options;
  }

  /** Begins the periodic cycle. */
  start(): void {
    this.#timer ??= setInterval(() => {
      const { pendingChangeCount, onReserve } = this.#options.database;
      if (pendingChangeCount > 0 || onReserve) this.#inBackground();
    }, this.#options.intervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Changes since the beginning. */
  get changeCount(): number {
    return this.#committedChangeCount + this.#options.database.pendingChangeCount;
  }

  get durableEpoch(): Epoch {
    return this.#durableEpoch;
  }

  /** Data and metadata of the inode as they are now are durable when this resolves; without inode, of everything. */
  async sync(inode?: InodeId): Promise<Epoch> {
    await this.#options.blocks.syncLocal(inode);
    return this.syncMetadata();
  }

  /** All metadata changes made before the call are durable when this resolves. Shared by all who ask at the same time. */
  syncMetadata(): Promise<Epoch> {
    if (this.#running === undefined) return this.#begin();
    this.#next ??= this.#running.then(
      () => this.#begin(),
      () => this.#begin(),
    );
    return this.#next;
  }

  /** A file took the place of another by rename. */
  replaced(inode: InodeId): void {
    this.#replaced.add(inode);
  }

  /** Called after every operation that changed metadata: starts a commit when much is pending. */
  changed(): void {
    const { pendingChangeCount, onReserve } = this.#options.database;
    const { afterChanges, nowChanges } = onReserve ? COMMIT_LIMITS_ON_RESERVE : COMMIT_LIMITS;
    if (pendingChangeCount < afterChanges) return;
    if (this.#running === undefined) this.#inBackground();
    else if (pendingChangeCount >= nowChanges) this.#commit();
  }

  #inBackground(): void {
    this.syncMetadata().catch((error: unknown) => this.#options.onError(error));
  }

  #begin(): Promise<Epoch> {
    this.#next = undefined;
    const { onOutcome = () => {} } = this.#options;
    this.#running = this.#cycle().then(
      (epoch) => {
        this.#running = undefined;
        onOutcome(undefined);
        return epoch;
      },
      (error: unknown) => {
        this.#running = undefined;
        onOutcome(error);
        throw error;
      },
    );
    return this.#running;
  }

  #commit(): Epoch {
    this.#committedChangeCount += this.#options.database.pendingChangeCount;
    return this.#options.database.commit();
  }

  async #cycle(): Promise<Epoch> {
    const { database, blocks } = this.#options;
    await blocks.syncOrdered();
    // Files may be truncated, or renamed over others, while we wait; the last check and the commit are not separated by an await.
    for (let round = 0; round < MAX_ROUNDS && !(blocks.isOrdered && this.#replaced.size === 0); round += 1) {
      const inodes = [...this.#replaced];
      await Promise.all([blocks.syncOrdered(), ...inodes.map((inode) => blocks.syncLocal(inode))]);
      for (const inode of inodes) this.#replaced.delete(inode);
    }
    const committed = this.#commit();
    await database.syncCommitted();
    this.#durableEpoch = committed;
    blocks.epochDurable(committed);
    return committed;
  }
}
