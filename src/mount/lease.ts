/**
 * The lease: an object in the store, unknown to S3QL, that at most one writer holds: a mount, or a command that changes the file system. It decides
 * who wins when several begin at the same moment; once the store's superblock says that the file system is mounted, that protects it, from
 * S3QL too.
 *
 * - Each acquisition has a nonce of its own, noted on this machine before the store gets it: after a crash the same machine knows the lease as
 *   its own and takes it again at once.
 * - Until a superblock protects the holder the lease is renewed every few seconds. A lease of somebody else that has not been renewed for long
 *   enough, measured by our own clock, is that of a dead process.
 * - Where the store has conditional requests each one says what it replaces: nothing, or exactly what this holder found or wrote last. So
 *   nobody ever overwrites a lease that he has not seen. Where it has not, the holder looks before it writes, the last of several writers
 *   wins, and all look again after a time that is long compared with a request.
 * - Once lost it stays lost: `requireHeld` throws, and nothing is written over the new holder's lease.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Backend, StoreOptions } from '../backends/backend.ts';
import { PreconditionFailedError } from '../backends/errors.ts';
import { UserError } from '../util/errors.ts';
import { logger } from '../util/log.ts';
import { replaceFile } from '../util/replace-file.ts';
import { encodeLease, fetchLease, type FoundLease, isSameLease, LEASE_KEY, type LeaseHolder } from './lease-record.ts';

export const EXIT_MOUNTED_ELSEWHERE = 31;

export interface LeaseTimes {
  /** How often the lease is renewed until a superblock protects its holder. */
  readonly renewalMs: number;
  /** A lease that has not been renewed for so long is dead. */
  readonly staleAfterMs: number;
  /** How long to wait before looking again where the store cannot replace conditionally. */
  readonly settleMs: number;
}

export const LEASE_TIMES: LeaseTimes = { renewalMs: 4_000, staleAfterMs: 20_000, settleMs: 1_500 };
const POLL_MS = 500;

export interface LeaseOptions {
  readonly backend: Backend;
  /** File that remembers the nonces of this machine. */
  readonly path: string;
  /** The command that takes it, as others are told. */
  readonly program: string;
  readonly signal: AbortSignal;
  /** Whether another machine has the file system mounted, as far as the store says: then there is nothing to wait for. */
  readonly mountedElsewhere: (holder: LeaseHolder) => Promise<boolean>;
  /** Take it from whoever has it. */
  readonly force: boolean;
  /** What does that, for whoever is refused. */
  readonly override: string;
  readonly times?: LeaseTimes;
}

const log = logger('mount');

export class Lease implements AsyncDisposable {
  readonly #backend: Backend;
  readonly #times: LeaseTimes;
  readonly #program: string;
  readonly #nonce = randomUUID();
  #renewal = 0;
  #mounted = false;
  /** What the store has by us, where it tells versions. */
  #version: string | undefined;
  #lost: UserError | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Requests that change the lease follow each other. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor({ backend, program, times = LEASE_TIMES }: LeaseOptions) {
    this.#backend = backend;
    this.#program = program;
    this.#times = times;
  }

  /** Waits for a dead process's lease to prove dead. Renewed from now on. @throws UserError exit 31 if somebody else has it */
  static async acquire(options: LeaseOptions): Promise<Lease> {
    const lease = new Lease(options);
    const ours = await readNonces(options.path);
    await replaceFile(options.path, Buffer.from([...ours.slice(-1), lease.#nonce].join('\n')));
    let dead: LeaseHolder | undefined;
    // Of two who take it from its holder at once the second must not take it from the first.
    let forced: string | undefined;
    for (;;) {
      const found = await fetchLease(options.backend, options.signal);
      if (options.force) forced ??= found?.nonce;
      const free = found === undefined || found.nonce === forced || ours.includes(found.nonce) || isSameLease(found, dead);
      if (free && (await lease.#take(found, options.signal))) {
        await replaceFile(options.path, Buffer.from(lease.#nonce));
        lease.#renewPeriodically();
        return lease;
      }
      if (free || found === undefined) continue;
      log.info('The file system is in use by %s on %s: looking whether that is still alive', found.program, found.host);
      dead = (await lease.#diesAway(found, options)) ? found : undefined;
    }
  }

  /** Whether a renewal can never overwrite the lease of somebody else. */
  get isConditional(): boolean {
    return this.#backend.capabilities.conditionalReplace;
  }

  /** Whose the lease is. */
  async holder(): Promise<'us' | 'nobody' | 'another'> {
    const found = await fetchLease(this.#backend);
    if (found === undefined) return 'nobody';
    if (found.nonce === this.#nonce) return 'us';
    this.#lose(found);
    return 'another';
  }

  /** Looks, at the last moment before something is written that another holder must not find changed. @throws UserError exit 31 if the lease is another's */
  async requireHeld(): Promise<void> {
    if (this.#lost === undefined) await this.holder();
    if (this.#lost !== undefined) throw this.#lost;
  }

  /** Writes the lease again, unless it is another's by now; one that was deleted is made anew. Also tells whether the store takes writes. */
  renew(): Promise<void> {
    const renewed = this.#last.then(() => this.#renew());
    this.#last = renewed.catch(() => undefined);
    return renewed;
  }

  /** A superblock says that the file system is in use here: periodic renewals are not needed any more. */
  async published(): Promise<void> {
    clearInterval(this.#timer);
    this.#mounted = true;
    await this.renew();
  }

  /** Gives the lease back; if that fails, others wait until it proves dead. Does not reject. */
  async release(): Promise<void> {
    try {
      clearInterval(this.#timer);
      await this.#last;
      if ((await this.holder()) === 'us') await this.#backend.delete(LEASE_KEY);
    } catch (error) {
      log.warn(error, 'Cannot give the lease of the file system back');
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** False: somebody else was faster. */
  async #take(found: FoundLease | undefined, signal: AbortSignal): Promise<boolean> {
    const { conditionalCreate, conditionalReplace } = this.#backend.capabilities;
    try {
      if (found === undefined) {
        await this.#store(conditionalCreate ? { ifAbsent: true } : {});
        if (conditionalCreate) return true;
      } else if (conditionalReplace && found.version !== undefined) {
        await this.#store({ ifVersion: found.version });
        return true;
      } else {
        await this.#store({});
      }
    } catch (error) {
      if (error instanceof PreconditionFailedError) return false;
      throw error;
    }
    await sleep(this.#times.settleMs, undefined, { signal });
    return (await fetchLease(this.#backend, signal))?.nonce === this.#nonce;
  }

  async #renew(): Promise<void> {
    if (this.#lost !== undefined) return;
    const { conditionalCreate, conditionalReplace } = this.#backend.capabilities;
    try {
      if (conditionalReplace && this.#version !== undefined) {
        await this.#store({ ifVersion: this.#version });
        return;
      }
    } catch (error) {
      if (!(error instanceof PreconditionFailedError)) throw error;
    }
    const found = await fetchLease(this.#backend);
    if (found !== undefined && found.nonce !== this.#nonce) {
      this.#lose(found);
      return;
    }
    try {
      if (found === undefined) await this.#store(conditionalCreate ? { ifAbsent: true } : {});
      else await this.#store(conditionalReplace && found.version !== undefined ? { ifVersion: found.version } : {});
    } catch (error) {
      // Somebody came between: the next look tells who.
      if (!(error instanceof PreconditionFailedError)) throw error;
      await this.holder();
    }
  }

  async #store(options: StoreOptions): Promise<void> {
    this.#renewal += 1;
    const holder: LeaseHolder = {
      nonce: this.#nonce,
      renewal: this.#renewal,
      host: hostname(),
      program: this.#program,
      mounted: this.#mounted,
    };
    const { version } = await this.#backend.store(LEASE_KEY, {}, [encodeLease(holder)], options);
    this.#version = version;
  }

  #lose(holder: LeaseHolder): void {
    if (this.#lost !== undefined) return;
    clearInterval(this.#timer);
    this.#lost = new UserError(
      `${holder.program} on ${holder.host} has taken the file system over: nothing more is written from here.`,
      EXIT_MOUNTED_ELSEWHERE,
    );
    log.error('%s', this.#lost.message);
  }

  /** True if the lease stays as it is for as long as no living process would leave it; false if it is gone. @throws UserError exit 31 if it lives */
  async #diesAway(found: FoundLease, options: LeaseOptions): Promise<boolean> {
    const { backend, signal, mountedElsewhere, override } = options;
    const endMs = performance.now() + this.#times.staleAfterMs;
    for (;;) {
      // A mounted file system's lease is not renewed in time.
      if (await mountedElsewhere(found)) throw heldBy(found, override);
      if (performance.now() >= endMs) return true;
      await sleep(Math.min(POLL_MS, this.#times.staleAfterMs), undefined, { signal });
      const now = await fetchLease(backend, signal);
      if (now === undefined) return false;
      if (!isSameLease(found, now)) throw heldBy(now, override);
    }
  }

  #renewPeriodically(): void {
    this.#timer = setInterval(() => {
      this.renew().catch((error: unknown) => log.warn(error, 'Cannot renew the lease of the file system'));
    }, this.#times.renewalMs).unref();
  }
}

function heldBy({ host, program }: LeaseHolder, override: string): UserError {
  return new UserError(
    `The file system is in use by ${program} on ${host}, or that machine crashed. Unmount it there, or mount it there again, ` +
      `which recovers what that machine did not store yet. If that machine is lost for good, use ${override}.`,
    EXIT_MOUNTED_ELSEWHERE,
  );
}

async function readNonces(path: string): Promise<string[]> {
  try {
    return (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
