/**
 * Makes commits durable: fdatasync of the WAL on libuv's pool, one for all that wait (group commit).
 *
 * The WAL is opened by a descriptor of its own. That is harmless; a second descriptor on the database file would not be: closing
 * it drops all of SQLite's POSIX locks on that file. The WAL file stays the same as long as a connection is open.
 */
import { closeSync, fdatasync, fsync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { FsError } from '../util/errors.ts';
import type { Epoch } from './database.ts';

const fdatasyncOf = promisify(fdatasync);
const fsyncOf = promisify(fsync);

export class WalSync implements Disposable {
  readonly #databasePath: string;
  readonly #committedEpoch: () => Epoch;
  #fd: number | undefined;
  /** Nothing yet: what the WAL holds from before we opened it may never have been synced. */
  #durableEpoch: Epoch = -1;
  #running: { readonly epoch: Epoch; readonly done: Promise<Epoch> } | undefined;
  #next: Promise<Epoch> | undefined;
  #failure: FsError | undefined;

  constructor(databasePath: string, committedEpoch: () => Epoch) {
    this.#databasePath = databasePath;
    this.#committedEpoch = committedEpoch;
  }

  /**
   * Resolves with a durable epoch not older than the last commit. After a failed fdatasync the kernel may have dropped the data
   * and would report success the next time, so a failure is final. @throws FsError EIO
   */
  sync(): Promise<Epoch> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const wanted = this.#committedEpoch();
    if (this.#durableEpoch >= wanted) return Promise.resolve(this.#durableEpoch);
    if (this.#running === undefined) return this.#start();
    if (this.#running.epoch >= wanted) return this.#running.done;
    this.#next ??= this.#running.done.then(() => this.#start());
    return this.#next;
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #start(): Promise<Epoch> {
    this.#next = undefined;
    const epoch = this.#committedEpoch();
    const done = this.#flush().then(
      () => {
        this.#running = undefined;
        this.#durableEpoch = epoch;
        return epoch;
      },
      (error: unknown) => {
        this.#running = undefined;
        this.#failure = new FsError('EIO', `fdatasync of ${this.#databasePath}-wal failed`, { cause: error });
        throw this.#failure;
      },
    );
    this.#running = { epoch, done };
    return done;
  }

  async #flush(): Promise<void> {
    if (this.#fd !== undefined) return fdatasyncOf(this.#fd);
    const fd = openIfExists(`${this.#databasePath}-wal`);
    // No WAL: everything is in the database file, which SQLite synced when it removed the WAL.
    if (fd === undefined) return;
    this.#fd = fd;
    await fdatasyncOf(fd);
    // The WAL file may be new: its directory entry must be durable too.
    const directory = openSync(dirname(this.#databasePath), 'r');
    try {
      await fsyncOf(directory);
    } finally {
      closeSync(directory);
    }
  }
}

function openIfExists(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
