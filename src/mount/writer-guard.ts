/**
 * Whether this machine is still the one that may write to the store: the lease is not another's, and the store's superblock is one that we
 * published. Once lost it stays lost: nothing is stored or deleted any more, and what is not stored yet stays on this machine.
 *
 * Where the store can replace conditionally the lease is also renewed now and then, so that it tells whether its holder is alive.
 */
import { CorruptedObjectError, FileSystemLostError, NoSuchObjectError } from '../backends/errors.ts';
import { fetchSuperblock } from '../metadata/generations.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { UserError } from '../util/errors.ts';
import { logger } from '../util/log.ts';
import { samePublication } from './choose-metadata.ts';
import type { Lease } from './lease.ts';
import type { SuperblockKeeper } from './superblock-keeper.ts';

/** How often to look, besides before each publication. */
const CHECK_INTERVAL_MS = 60_000;
/** The lease is renewed with every so many-th look. */
const CHECKS_PER_RENEWAL = 10;

const log = logger('mount');

export class WriterGuard implements Disposable {
  readonly #lease: Lease;
  readonly #keeper: SuperblockKeeper;
  readonly #objects: ObjectStore;
  #lost: FileSystemLostError | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #lookCount = 0;
  /** Called once, when it turns out that another machine has the file system. */
  onLost: (error: FileSystemLostError) => void = () => {};

  constructor(lease: Lease, keeper: SuperblockKeeper, objects: ObjectStore) {
    this.#lease = lease;
    this.#keeper = keeper;
    this.#objects = objects;
  }

  /** Begins to look periodically. */
  start(): void {
    this.#timer = setInterval(() => {
      // A look may take as long as the store does not answer.
      if (this.#isLooking) return;
      this.#isLooking = true;
      this.#look()
        .catch((error: unknown) => {
          if (!(error instanceof FileSystemLostError)) log.warn(error, 'Cannot tell whether the file system is still ours');
        })
        .finally(() => (this.#isLooking = false));
    }, CHECK_INTERVAL_MS).unref();
  }

  /** @throws FileSystemLostError as far as is known; does not look */
  requireOwned(): void {
    if (this.#lost !== undefined) throw this.#lost;
  }

  /** Looks. @throws FileSystemLostError */
  async check(): Promise<void> {
    this.requireOwned();
    const [holder, isOurs] = await Promise.all([this.#lease.holder(), this.#publishedLast()]);
    if (isOurs === 'damaged' ? holder === 'us' : isOurs && holder !== 'another') return;
    if (this.#lost === undefined) {
      this.#lost = new FileSystemLostError('another machine has taken the file system over');
      this.onLost(this.#lost);
    }
    throw this.#lost;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    await this.check();
    this.#lookCount += 1;
    if (this.#lookCount % CHECKS_PER_RENEWAL === 0 && this.#lease.isConditional) await this.#lease.renew();
  }

  /** Whether the store's superblock is one that we published. One that is gone is not; a damaged one is replaced by the next. */
  async #publishedLast(): Promise<boolean | 'damaged'> {
    const ours = await this.#keeper.read();
    try {
      const current = await fetchSuperblock(this.#objects);
      return [ours?.written, ours?.confirmed].some((superblock) => superblock !== undefined && samePublication(superblock, current));
    } catch (error) {
      if (error instanceof UserError && error.cause instanceof NoSuchObjectError) return false;
      if (error instanceof UserError && error.cause instanceof CorruptedObjectError) return 'damaged';
      throw error;
    }
  }
}
