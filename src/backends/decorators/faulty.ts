/**
 * A store that fails on purpose: for tests of everything above. A plan decides request by request; the same plan with the same requests
 * fails the same way.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../util/seeded-random.ts';
import type {
  Backend,
  FetchedObject,
  FetchOptions,
  ListedObject,
  ObjectKey,
  RequestOptions,
  StoreOptions,
  StoreResult,
} from '../backend.ts';
import { BackendError } from '../errors.ts';
import type { ObjectMetadata } from '../object-metadata.ts';
import { InterceptedBackend, objectText, prefixText } from './intercepted-backend.ts';
import type { Operation, OperationName } from './intercepted-backend.ts';

const KEYS_PER_REQUEST = 1000;

export type Fault =
  /** Nothing happens in the store; the error is a temporary BackendError unless given. */
  | { readonly kind: 'fail'; readonly error?: Error }
  /** The request is done, but the answer is an error. */
  | { readonly kind: 'lose-reply'; readonly error?: Error }
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** No answer until the request is aborted or the fault's promise resolves; then as usual. */
  | { readonly kind: 'hang'; readonly until?: Promise<unknown> }
  /** The payload that is stored or fetched lacks its second half. */
  | { readonly kind: 'truncate' }
  /** A bit of the payload that is stored or fetched is flipped. */
  | { readonly kind: 'corrupt' };

export interface FaultyRequest {
  /** Counts all requests of the store, from 1. A listing has one for each thousand keys. */
  readonly number: number;
  readonly name: OperationName;
  readonly subject: string;
}

/** Says what goes wrong with a request, if anything. */
export type FaultPlan = (request: FaultyRequest) => Fault | undefined;

/** A plan in which the n-th request, counted from 1, goes wrong and no other. */
export function faultAt(number: number, fault: Fault): FaultPlan {
  return (request) => (request.number === number ? fault : undefined);
}

/** A plan in which each request goes wrong with the probability, in one of the ways, as the seed has it. */
export function randomFaults(seed: number, probability: number, faults: readonly Fault[]): FaultPlan {
  const random = seededRandom(seed);
  return () => (random() < probability ? faults[Math.floor(random() * faults.length)] : undefined);
}

export class FaultyBackend extends InterceptedBackend {
  /** May be changed at any time. */
  plan: FaultPlan;
  #requests = 0;

  constructor(inner: Backend, plan: FaultPlan = () => undefined) {
    super(inner);
    this.plan = plan;
  }

  /** How many requests there were. */
  get requestCount(): number {
    return this.#requests;
  }

  override store(key: ObjectKey, metadata: ObjectMetadata, payload: readonly Uint8Array[], options?: StoreOptions): Promise<StoreResult> {
    return this.#inject('store', objectText(key), options?.signal, (damage) =>
      this.inner.store(key, metadata, damage === undefined ? payload : [damaged(Buffer.concat(payload), damage)], options),
    );
  }

  override fetch(key: ObjectKey, options?: FetchOptions): Promise<FetchedObject> {
    return this.#inject('fetch', objectText(key), options?.signal, async (damage) => {
      const fetched = await this.inner.fetch(key, options);
      return damage === undefined ? fetched : { ...fetched, payload: damaged(fetched.payload, damage) };
    });
  }

  override async *list(prefix: string, options?: RequestOptions): AsyncGenerator<ListedObject> {
    const request = (): Promise<void> => this.#inject('list', prefixText(prefix), options?.signal, async () => undefined);
    let count = 0;
    await request();
    for await (const listed of this.inner.list(prefix, options)) {
      if (count > 0 && count % KEYS_PER_REQUEST === 0) await request();
      count += 1;
      yield listed;
    }
  }

  protected around<T>({ name, subject, signal }: Operation, run: () => Promise<T>): Promise<T> {
    return this.#inject(name, subject, signal, run);
  }

  async #inject<T>(
    name: OperationName,
    subject: string,
    signal: AbortSignal | undefined,
    run: (damage: 'truncate' | 'corrupt' | undefined) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    this.#requests += 1;
    const number = this.#requests;
    const fault = this.plan({ number, name, subject });
    const failure = (): Error => new BackendError(`injected failure of request ${number} (${name} ${subject})`, { temporary: true });
    switch (fault?.kind) {
      case undefined:
        return run(undefined);
      case 'fail':
        throw fault.error ?? failure();
      case 'lose-reply':
        await run(undefined);
        throw fault.error ?? failure();
      case 'delay':
        await abortable(sleep(fault.delayMs), signal);
        return run(undefined);
      case 'hang':
        await abortable(fault.until ?? new Promise(() => undefined), signal);
        return run(undefined);
      default:
        return run(fault?.kind);
    }
  }
}

function damaged(payload: Uint8Array, damage: 'truncate' | 'corrupt'): Uint8Array {
  if (damage === 'truncate') return payload.slice(0, payload.byteLength >> 1);
  const copy = payload.slice();
  const middle = copy.byteLength >> 1;
  copy[middle] = (copy[middle] ?? 0) ^ 0x10;
  return copy;
}

async function abortable(promise: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return void (await promise);
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
