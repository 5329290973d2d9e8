/**
 * Keeps the WAL from growing without bound. The metadata worker checkpoints in the background, but SQLite starts the WAL anew only if a
 * transaction begins when every frame is checkpointed, and under sustained load the next transaction always begins first. So when the WAL
 * is long, the rest that the worker could not have is checkpointed here, between two transactions. To keep that rest small, `restartDue`
 * asks for another commit soon after a checkpoint of the worker.
 */
import type { DatabaseSync } from 'node:sqlite';
import { prepareRows, type RowStatement } from './connection.ts';

/** From this length on (64 MiB) the WAL should start anew. */
const LONG_WAL_FRAMES = 16_384;
/** What may be checkpointed on the file system's thread: a few milliseconds, and two fsyncs. */
const REST_FRAMES = 1024;
/** From this length on the rest is checkpointed however much it is: the worker is stuck. */
const HUGE_WAL_FRAMES = 8 * LONG_WAL_FRAMES;

/** Columns of PRAGMA wal_checkpoint: could not run, frames in the WAL, frames of them in the database file. */
export type CheckpointRow = [busy: number, frames: number, checkpointed: number];

export class WalLimit {
  readonly #look: RowStatement<CheckpointRow>;
  readonly #checkpoint: RowStatement<CheckpointRow>;
  #holders = 0;
  #frames = 0;
  #uncheckpointedFrames = 0;
  #framesBefore = 0;

  constructor(connection: DatabaseSync) {
    this.#look = prepareRows(connection, 'PRAGMA wal_checkpoint(NOOP)');
    this.#checkpoint = prepareRows(connection, 'PRAGMA wal_checkpoint(PASSIVE)');
    this.#lookAt();
  }

  /** How many are surely before the next one in the WAL, as of the last commit or restart. */
  get framesBefore(): number {
    return this.#framesBefore;
  }

  /** As of the last commit. */
  get uncheckpointedFrames(): number {
    return this.#uncheckpointedFrames;
  }

  /** To be called when no transaction is open. */
  afterCommit(): void {
    const { frames, checkpointed } = this.#lookAt();
    if (this.#holders > 0 || frames < LONG_WAL_FRAMES || frames === checkpointed) return;
    if (frames - checkpointed > REST_FRAMES && frames <= HUGE_WAL_FRAMES) return;
    this.#tryCheckpoint();
  }

  /** Lets the WAL start anew whatever that costs, if it may. To be called when no transaction is open. */
  restart(): void {
    if (this.#holders > 0) return;
    const [busy, frames, checkpointed] = this.#tryCheckpoint() ?? [1, 0, 0];
    this.#lookAt();
    // A worker that is checkpointing in this moment would keep the next transaction from starting at the beginning.
    if (busy === 0 && frames === checkpointed) this.#framesBefore = 0;
  }

  /** Whether, given that the worker has just checkpointed, committing what has changed meanwhile lets the WAL start anew. */
  get restartDue(): boolean {
    return this.#holders === 0 && this.#frames >= LONG_WAL_FRAMES;
  }

  hold(): Disposable {
    this.#holders++;
    return {
      [Symbol.dispose]: () => {
        this.#holders--;
      },
    };
  }

  #lookAt(): { frames: number; checkpointed: number } {
    const [, frames, checkpointed] = this.#look.get() ?? [0, 0, 0];
    this.#frames = frames;
    this.#framesBefore = frames;
    this.#uncheckpointedFrames = frames - checkpointed;
    return { frames, checkpointed };
  }

  #tryCheckpoint(): CheckpointRow | undefined {
    try {
      return this.#checkpoint.get();
    } catch {
      // What was committed stays so all the same. The worker's next checkpoint meets the same error and reports it.
      return undefined;
    }
  }
}
