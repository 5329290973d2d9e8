/**
 * The lease: an object in the store, unknown to S3QL, that at most one writer holds. It decides who wins when several machines mount at the same
 * moment; once the store's superblock says that the file system is mounted, that protects it, from S3QL too.
 *
 * - Each acquisition has a nonce of its own, noted on this machine before the store gets it: after a crash the same machine knows the lease as
 *   its own and takes it again at once.
 * - While the mount is being prepared the lease is renewed every few seconds. A lease of somebody else that has not been renewed for long
 *   enough, measured by our own clock, is that of a dead process.
 * - It is created, and replaced, by conditional requests where the store has them. Where it does not, the last of several writers wins, and all look
 *   again after a time that is long compared with a request.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Backend, ObjectKey, StoreOptions } from '../backends/backend.ts';
import { NoSuchObjectError, PreconditionFailedError } from '../backends/errors.ts';
import { UserError } from '../util/errors.ts';
import { logger } from '../util/log.ts';
import { replaceFile } from '../util/replace-file.ts';

export const LEASE_KEY: ObjectKey = 's3ql_lease';
export const EXIT_MOUNTED_ELSEWHERE = 31;

export interface LeaseTimes {
  /** How often the lease is renewed while a mount is being prepared. */
  readonly renewalMs: number;
  /** A lease that has not been renewed for so long is dead. */
  readonly staleAfterMs: number;
  /** How long to wait before looking again where the store cannot replace conditionally. */
  readonly settleMs: number;
}

export const LEASE_TIMES: LeaseTimes = { renewalMs: 4_000, staleAfterMs: 20_000, settleMs: 1_500 };
const POLL_MS = 500;

interface Holder {
  readonly nonce: string;
  /** Distinguishes renewals. */
  readonly renewal: number;
  readonly host: string;
}

interface Found extends Holder {
  readonly version?: string;
}

export interface LeaseOptions {
  readonly backend: Backend;
  /** File that remembers the nonces of this machine. */
  readonly path: string;
  readonly signal: AbortSignal;
  /** Whether the store says that another machine has the file system mounted: then there is nothing to wait for. */
  readonly mountedElsewhere: () => Promise<boolean>;
  /** Take it from whoever has it. */
  readonly force: boolean;
  readonly times?: LeaseTimes;
}

const log = logger('mount');

export class Lease {
  readonly #backend: Backend;
  readonly #times: LeaseTimes;
  readonly #nonce = randomUUID();
  #renewal = 0;
  #timer: NodeJS.Timeout | undefined;
  #renewing: Promise<void> = Promise.resolve();

  private constructor({ backend, times = LEASE_TIMES }: LeaseOptions) {
    this.#backend = backend;
    this.#times = times;
  }

  /** Waits for a dead process's lease to prove dead. Renewed from now on. @throws UserError exit 31 if somebody else has it */
  static async acquire(options: LeaseOptions): Promise<Lease> {
    const lease = new Lease(options);
    const ours = await readNonces(options.path);
    await replaceFile(options.path, Buffer.from([...ours.slice(-1), lease.#nonce].join('\n')));
    let dead: Holder | undefined;
    for (;;) {
      const found = await fetchHolder(options.backend, options.signal);
      const free = found === undefined || options.force || ours.includes(found.nonce) || sameHolder(found, dead);
      if (free && (await lease.#take(found, options.signal))) {
        await replaceFile(options.path, Buffer.from(lease.#nonce));
        lease.#renewPeriodically();
        return lease;
      }
      if (free || found === undefined) continue;
      log.info('The lease of the file system is that of %s: looking whether that machine is alive', found.host);
      dead = (await lease.#diesAway(found, options)) ? found : undefined;
    }
  }

  /** Whose the lease is. */
  async holder(): Promise<'us' | 'nobody' | 'another'> {
    const found = await fetchHolder(this.#backend);
    if (found === undefined) return 'nobody';
    return found.nonce === this.#nonce ? 'us' : 'another';
  }

  /** The superblock says that the file system is mounted here: renewals are not needed any more. */
  async published(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
  }

  /** Gives the lease back; if that fails, others wait until it proves dead. Does not reject. */
  async release(): Promise<void> {
    try {
      await this.published();
      if ((await this.holder()) === 'us') await this.#backend.delete(LEASE_KEY);
    } catch (error) {
      log.warn(error, 'Cannot give the lease of the file system back');
    }
  }

  /** False: somebody else was faster. */
  async #take(found: Found | undefined, signal: AbortSignal): Promise<boolean> {
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
    return (await this.holder()) === 'us';
  }

  async #store(options: StoreOptions): Promise<void> {
    this.#renewal += 1;
    const holder: Holder = { nonce: this.#nonce, renewal: this.#renewal, host: hostname() };
    await this.#backend.store(LEASE_KEY, {}, [Buffer.from(JSON.stringify(holder))], options);
  }

  /** True if the lease stays as it is for as long as no living process would leave it; false if it is gone. @throws UserError exit 31 if it lives */
  async #diesAway(found: Found, { backend, signal, mountedElsewhere }: LeaseOptions): Promise<boolean> {
    const endMs = performance.now() + this.#times.staleAfterMs;
    for (;;) {
      // A mounted file system's lease is not renewed.
      if (await mountedElsewhere()) throw heldBy(found);
      if (performance.now() >= endMs) return true;
      await sleep(Math.min(POLL_MS, this.#times.staleAfterMs), undefined, { signal });
      const now = await fetchHolder(backend, signal);
      if (now === undefined) return false;
      if (!sameHolder(found, now)) throw heldBy(now);
    }
  }

  #renewPeriodically(): void {
    this.#timer = setInterval(() => {
      this.#renewing = this.#renewing
        .then(async () => {
          if ((await this.holder()) === 'us') await this.#store({});
        })
        .catch((error: unknown) => log.warn(error, 'Cannot renew the lease of the file system'));
    }, this.#times.renewalMs).unref();
  }
}

function heldBy({ host }: Holder): UserError {
  return new UserError(
    `The file system is mounted elsewhere, or just being mounted (by ${host}), or that machine crashed. Unmount it there, or mount it there again, ` +
      'which recovers what that machine did not store yet. If that machine is lost, use --take-over.',
    EXIT_MOUNTED_ELSEWHERE,
  );
}

function sameHolder(a: Holder, b: Holder | undefined): boolean {
  return a.nonce === b?.nonce && a.renewal === b.renewal;
}

/** Nobody's if it cannot be understood. */
async function fetchHolder(backend: Backend, signal?: AbortSignal): Promise<Found | undefined> {
  try {
    const { payload, version } = await backend.fetch(LEASE_KEY, signal === undefined ? {} : { signal });
    return { ...parseHolder(payload), ...(version === undefined ? {} : { version }) };
  } catch (error) {
    if (error instanceof NoSuchObjectError) return undefined;
    throw error;
  }
}

function parseHolder(payload: Uint8Array): Holder {
  const unknown: Holder = { nonce: Buffer.from(payload).toString('base64'), renewal: 0, host: 'an unknown machine' };
  try {
    const { nonce, renewal, host } = JSON.parse(Buffer.from(payload).toString()) as Partial<Holder>;
    return typeof nonce === 'string' && typeof renewal === 'number' && typeof host === 'string' ? { nonce, renewal, host } : unknown;
  } catch {
    return unknown;
  }
}

async function readNonces(path: string): Promise<string[]> {
  try {
    return (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
