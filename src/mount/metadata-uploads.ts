/**
 * Brings generations of the metadata to the store while the file system is mounted and when it ends (ARCHITECTURE.md, "Metadata in the store").
 *
 * A generation: what is dirty goes to the store first, so that the files in it have their contents; then everything is committed, the database is
 * frozen and uploaded, the superblock published, old generations thinned, and objects that no generation to come needs may be deleted.
 * One upload at a time; who asks while one runs gets the next.
 */
import type { BlockCache } from '../blocks/block-cache.ts';
import type { CompressionSpec } from '../envelope/compression-spec.ts';
import type { CommitCycle } from '../filesystem/commit-cycle.ts';
import type { Epoch } from '../metadata/database.ts';
import { GenerationCatalog } from '../metadata/generation-retention.ts';
import { nextSeqNo, uploadGeneration } from '../metadata/generation-upload.ts';
import { thin } from '../metadata/retention-policy.ts';
import { SnapshotWorker } from '../metadata/snapshot.ts';
import type { SqliteMetadata } from '../metadata/sqlite-metadata.ts';
import type { Superblock } from '../metadata/superblock.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { logger } from '../util/log.ts';
import { type ProgressReporter, silentProgress } from '../util/progress.ts';
import type { LocalDirectory } from './local-directory.ts';
import type { SuperblockKeeper } from './superblock-keeper.ts';

/** How often the WAL's length is looked at. */
const WAL_CHECK_INTERVAL_MS = 1_000;
/** After so many changes metadata is uploaded before its time, but not more often than this. */
const UPLOAD_AFTER_CHANGES = 50_000;
const MIN_UPLOAD_PAUSE_MS = 30_000;

const log = logger('mount');

export interface MetadataUploadsParts {
  readonly local: LocalDirectory;
  readonly database: SqliteMetadata;
  readonly blocks: BlockCache;
  readonly commits: CommitCycle;
  readonly objects: ObjectStore;
  readonly keeper: SuperblockKeeper;
  readonly compression: CompressionSpec;
  readonly connectionLimit: number;
  /** The one that the mount published. */
  readonly superblock: Superblock;
  /** 0: only on request. */
  readonly intervalMs: number;
  /** Called before a generation is published. @throws if the file system is not ours any more */
  readonly requireOwned: () => Promise<void>;
  /** An upload failed (the error), or a generation is complete in the store (undefined). */
  readonly onState: (error: unknown) => void;
}

export interface GenerationReport {
  readonly seqNo: number;
  readonly completedAtMs: number;
  /** Changes of the metadata that it does not have. */
  readonly changesSince: number;
}

export class MetadataUploads implements AsyncDisposable {
  readonly #parts: MetadataUploadsParts;
  readonly #worker: SnapshotWorker;
  #superblock: Superblock;
  #catalog: GenerationCatalog | undefined;
  #uploadedEpoch: Epoch = -1;
  #uploadedChangeCount = 0;
  #lastUploadMs = performance.now();
  #running: Promise<void> = Promise.resolve();
  /** The upload that begins when the running one ends; everybody who asks meanwhile shares it. */
  #next: Promise<void> | undefined;
  #walTimer: NodeJS.Timeout | undefined;
  #uploadTimer: NodeJS.Timeout | undefined;

  constructor(parts: MetadataUploadsParts) {
    this.#parts = parts;
    this.#superblock = parts.superblock;
    this.#worker = new SnapshotWorker(parts.database);
  }

  /** Begins to look after the WAL and to upload periodically. */
  start(): void {
    this.#walTimer = setInterval(() => {
      this.#keepWalShort().catch((error: unknown) => log.error(error, 'Cannot checkpoint the metadata'));
      if (this.#muchHasChanged()) this.backUp();
    }, WAL_CHECK_INTERVAL_MS).unref();
    const { intervalMs } = this.#parts;
    if (intervalMs > 0) this.#uploadTimer = setInterval(() => this.backUp(), intervalMs).unref();
  }

  /** Has the figures of statfs and s3qlstat counted, off this thread. To be called before anything changes. */
  countTotals(): Promise<void> {
    return this.#worker.primeTotals();
  }

  stop(): void {
    clearInterval(this.#walTimer);
    clearInterval(this.#uploadTimer);
  }

  /** The last complete generation, and how many changes came after it. */
  report(): GenerationReport {
    const { seqNo, lastModifiedSeconds } = this.#superblock;
    return {
      seqNo,
      completedAtMs: Math.floor(lastModifiedSeconds * 1000),
      changesSince: this.#parts.commits.changeCount - this.#uploadedChangeCount,
    };
  }

  /** Starts an upload if something changed since the last one; failures are logged, and tried again by the next. */
  backUp(): void {
    this.toStore().catch((error: unknown) => log.error(error, 'Cannot upload the metadata; it stays on this machine'));
  }

  /** Everything as it is at the time of the call is in the store, in a complete generation, when this resolves. */
  toStore(): Promise<void> {
    this.#next ??= this.#enqueue(() => {
      this.#next = undefined;
      return this.#backUp();
    });
    return this.#next;
  }

  /** The last upload, after which the file system counts as unmounted. Blocks must be in the store already. */
  finish(progress: ProgressReporter): Promise<void> {
    this.stop();
    return this.#enqueue(() => this.#upload({ isMounted: false, progress }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.#running.catch(() => undefined);
    await this.#worker[Symbol.asyncDispose]();
  }

  #enqueue(upload: () => Promise<void>): Promise<void> {
    const { onState } = this.#parts;
    const next = this.#running
      .catch(() => undefined)
      .then(upload)
      .catch((error: unknown) => {
        onState(error);
        throw error;
      });
    this.#running = next;
    return next;
  }

  async #keepWalShort(): Promise<void> {
    if (await this.#worker.keepWalShort()) await this.#parts.commits.syncMetadata();
  }

  #muchHasChanged(): boolean {
    const { commits, intervalMs } = this.#parts;
    if (intervalMs === 0 || this.#next !== undefined) return false;
    const isDue = commits.changeCount - this.#uploadedChangeCount >= UPLOAD_AFTER_CHANGES;
    return isDue && performance.now() - this.#lastUploadMs >= MIN_UPLOAD_PAUSE_MS;
  }

  async #backUp(): Promise<void> {
    const { database, blocks } = this.#parts;
    this.#lastUploadMs = performance.now();
    const unchanged = database.pendingChangeCount === 0 && database.openEpoch - 1 === this.#uploadedEpoch;
    if (unchanged && blocks.stats().dirtyEntryCount === 0) return;
    await blocks.flush();
    await this.#upload({ isMounted: true, progress: silentProgress });
    log.info('Metadata uploaded (generation %d).', this.#superblock.seqNo);
  }

  async #upload({ isMounted, progress }: { isMounted: boolean; progress: ProgressReporter }): Promise<void> {
    const { local, commits, objects, keeper, compression, connectionLimit, blocks, requireOwned } = this.#parts;
    const { changeCount } = commits;
    await commits.syncMetadata();
    using snapshot = await this.#worker.freeze(this.#superblock.metadataBlockSizeBytes);
    const { superblock, uploadedPieces } = await uploadGeneration({
      store: objects,
      paths: local,
      snapshot,
      superblock: {
        ...this.#superblock,
        seqNo: await nextSeqNo(local, this.#superblock),
        isMounted,
        lastModifiedSeconds: Date.now() / 1000,
      },
      compression,
      publish: (published) => keeper.publish(published, { requireOwned }),
      connectionLimit,
      progress,
    });
    this.#parts.onState(undefined);
    this.#uploadedChangeCount = changeCount;
    this.#lastUploadMs = performance.now();
    this.#superblock = superblock;
    this.#uploadedEpoch = snapshot.epoch;
    await this.#expire(superblock, uploadedPieces);
    blocks.generationComplete(snapshot.epoch);
  }

  /** Failing to delete what is not needed any more costs space, nothing else. */
  async #expire(superblock: Superblock, uploadedPieces: readonly number[]): Promise<void> {
    const { objects, connectionLimit } = this.#parts;
    try {
      if (this.#catalog === undefined) this.#catalog = await GenerationCatalog.load(objects, { connectionLimit });
      else this.#catalog.add(superblock, uploadedPieces);
      await this.#catalog.expire(thin, Date.now());
    } catch (error) {
      this.#catalog = undefined;
      log.warn(error, 'Cannot delete old metadata from the store; it is tried again after the next upload');
    }
  }
}
