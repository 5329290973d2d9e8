/**
 * The file system's side of the metadata worker: keeps the WAL short, and freezes the database file for the upload of a generation.
 *
 * While a snapshot exists nobody checkpoints, so the database file stays as it is; changes go on into the WAL. Invariants: one snapshot at
 * a time; a snapshot holds exactly one committed state, which contains at least everything committed before `freeze` was called.
 * Close the worker after its last use, and before the database.
 */
import { Worker } from 'node:worker_threads';
import { workerUrl } from '../util/worker-url.ts';
import type { Epoch } from './database.ts';
import { DIGEST_BYTES } from './piece-digests.ts';
import type { CheckpointResult, FrozenFile, Reply, Request, WorkerSettings } from './snapshot-protocol.ts';
import type { SqliteMetadata } from './sqlite-metadata.ts';
import type { Figures } from './totals.ts';

/** The database file, frozen. Disposing it lets checkpoints go on. */
export interface Snapshot extends Disposable {
  /** Everything up to this epoch is in the snapshot (and perhaps later ones). */
  readonly epoch: Epoch;
  readonly sizeBytes: number;
  /** SHA-256 of the whole, in hexadecimal: the superblock's `db_md5`. */
  readonly digestHex: string;
  readonly pieceSizeBytes: number;
  readonly pieceCount: number;
  /** SHA-256 of a piece. */
  pieceDigest(piece: number): Uint8Array;
  /** Bytes of a piece; the buffer is the caller's. */
  read(piece: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** From this many frames on that are not in the database file a checkpoint is worth its fsyncs. */
const CHECKPOINT_FRAMES = 1024;

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class SnapshotWorker implements AsyncDisposable {
  readonly #database: SqliteMetadata;
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  readonly #exited: Promise<void>;
  #failure: Error | undefined;
  #checkpointing: Promise<CheckpointResult> | undefined;
  #frozen = false;

  constructor(database: SqliteMetadata) {
    this.#database = database;
    const settings: WorkerSettings = { databasePath: database.path, fileDescriptor: database.fileDescriptor };
    this.#worker = new Worker(workerUrl('./snapshot-worker.ts', import.meta.url), { workerData: settings, name: 'metadata' });
    this.#worker.on('message', (reply: Reply) => {
      const waiting = this.#waiting.shift();
      if (reply.kind === 'done') waiting?.resolve(reply.result);
      else waiting?.reject(reply.error);
    });
    this.#worker.on('error', (error) => this.#fail(new Error('the metadata worker failed', { cause: error })));
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#fail(new Error('the metadata worker has ended'));
        resolve();
      });
    });
  }

  /** Counts for `totals` off the file system's thread. To be called right after opening; useless after the first commit. */
  async primeTotals(): Promise<void> {
    this.#database.primeTotals((await this.#request({ kind: 'count' })) as Figures);
  }

  /**
   * Checkpoints if much was committed since the last checkpoint. To be called after every commit; cheap if there is nothing to do.
   * True asks for another commit at once: the WAL is long, and can start anew when what has changed meanwhile is in it.
   */
  async keepWalShort(): Promise<boolean> {
    if (this.#frozen || this.#database.uncheckpointedFrames < CHECKPOINT_FRAMES) return false;
    const { walFrames, checkpointedFrames } = await this.checkpoint();
    return walFrames === checkpointedFrames && this.#database.walRestartDue;
  }

  /** Copies what is committed into the database file, as far as possible without waiting for anyone. @throws Error while frozen */
  checkpoint(): Promise<CheckpointResult> {
    if (this.#frozen) return Promise.reject(new Error('checkpoint of a frozen database'));
    this.#checkpointing ??= (this.#request({ kind: 'checkpoint' }) as Promise<CheckpointResult>).finally(() => {
      this.#checkpointing = undefined;
    });
    return this.#checkpointing;
  }

  /** Checkpoints completely, and reads and digests the file. Commit first what shall be in it. */
  async freeze(pieceSizeBytes: number): Promise<Snapshot> {
    if (this.#frozen) throw new Error('the database is frozen already');
    this.#frozen = true;
    const hold = this.#database.holdCheckpoints();
    const release = (): void => {
      hold[Symbol.dispose]();
      this.#frozen = false;
    };
    const epoch = this.#database.openEpoch - 1;
    try {
      // Requests are handled in order: a checkpoint that was asked for before ends before the freeze.
      const frozen = (await this.#request({ kind: 'freeze', pieceSizeBytes })) as FrozenFile;
      return new WorkerSnapshot(epoch, pieceSizeBytes, frozen, (request) => this.#request(request), release);
    } catch (error) {
      release();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#worker.postMessage({ kind: 'close' } satisfies Request);
    await this.#exited;
  }

  #request(request: Request): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(request);
    });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#failure);
  }
}

class WorkerSnapshot implements Snapshot {
  readonly epoch: Epoch;
  readonly sizeBytes: number;
  readonly digestHex: string;
  readonly pieceSizeBytes: number;
  readonly pieceCount: number;
  readonly #pieceDigests: Uint8Array;
  readonly #request: (request: Request) => Promise<unknown>;
  #release: (() => void) | undefined;

  constructor(
    epoch: Epoch,
    pieceSizeBytes: number,
    frozen: FrozenFile,
    request: (request: Request) => Promise<unknown>,
    release: () => void,
  ) {
    this.epoch = epoch;
    this.sizeBytes = frozen.sizeBytes;
    this.digestHex = Buffer.from(frozen.digest).toString('hex');
    this.pieceSizeBytes = pieceSizeBytes;
    this.pieceCount = frozen.pieceDigests.length / DIGEST_BYTES;
    this.#pieceDigests = frozen.pieceDigests;
    this.#request = request;
    this.#release = release;
  }

  pieceDigest(piece: number): Uint8Array {
    return this.#pieceDigests.subarray(piece * DIGEST_BYTES, (piece + 1) * DIGEST_BYTES);
  }

  async read(piece: number): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#release === undefined) throw new Error('the snapshot was released');
    const position = piece * this.pieceSizeBytes;
    const lengthBytes = Math.min(this.pieceSizeBytes, this.sizeBytes - position);
    return (await this.#request({ kind: 'read', position, lengthBytes })) as Uint8Array<ArrayBuffer>;
  }

  [Symbol.dispose](): void {
    this.#release?.();
    this.#release = undefined;
  }
}
