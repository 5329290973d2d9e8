/**
 * Tries requests again that failed for a temporary reason, until they succeed, fail for good, are aborted or have failed for a day.
 *
 * NoSpaceError is passed on although it is temporary: room may not come back for days, and the block cache must know to push back on writers.
 *
 * It knows whether the store works at all, and tells that whenever it changes, and of each failure.
 *
 * A conditional store whose reply was lost would, when repeated, fail on the object it has made itself. Then the object is fetched: if it is
 * the one we stored, to the last byte, the store has succeeded. (Callers who race make their objects unique.)
 */
import { logger } from '../../util/log.ts';
import type { Backend, ListedObject, ObjectKey, RequestOptions, StoreOptions, StoreResult } from '../backend.ts';
import {
  AuthenticationError,
  BackendError,
  GaveUpError,
  HostNotFoundError,
  MisconfigurationError,
  NoSpaceError,
  NoSuchContainerError,
  PermissionError,
  PreconditionFailedError,
} from '../errors.ts';
import { writeBasicMapping } from '../../util/basic-mapping.ts';
import type { ObjectMetadata } from '../object-metadata.ts';
import { InterceptedBackend, objectText, operation, prefixText } from './intercepted-backend.ts';
import type { Operation } from './intercepted-backend.ts';
import { RetryRate } from './retry-rate.ts';
import { DEFAULT_RETRY_POLICY, RetrySchedule, systemRetryClock } from './retry-policy.ts';
import type { RetryClock, RetryPolicy } from './retry-policy.ts';

const TROUBLE = [AuthenticationError, PermissionError, NoSuchContainerError, MisconfigurationError, HostNotFoundError];

const MS_PER_HOUR = 3_600_000;

export type RetryLogLevel = 'debug' | 'info' | 'warn';

/** A request that failed and will be tried again. */
export interface RetryEvent {
  /** How bad it looks: the first two failures of a request are common, the next two worth a note. */
  readonly level: RetryLogLevel;
  readonly operation: Operation;
  /** How often the request has failed so far. */
  readonly failures: number;
  readonly delayMs: number;
  readonly error: BackendError;
}

/** Told of each request that failed because the store does not work, and by `undefined` of the first that it answered after that. */
export type StoreStateListener = (trouble: BackendError | undefined) => void;

export interface RetryOptions {
  readonly policy?: Partial<RetryPolicy>;
  readonly clock?: RetryClock;
  /** Told of every retry; by default they are logged. */
  readonly onRetry?: (event: RetryEvent) => void;
  /** Told when there are alarmingly many retries (per second, over a minute); by default that is logged. */
  readonly onManyRetries?: (perSecond: number) => void;
  readonly onState?: StoreStateListener;
}

const log = logger('backends/retry');

export class RetryingBackend extends InterceptedBackend {
  readonly #policy: RetryPolicy;
  readonly #clock: RetryClock;
  readonly #onRetry: (event: RetryEvent) => void;
  readonly #rate: RetryRate;
  readonly #onState: StoreStateListener;
  #inTrouble = false;

  constructor(inner: Backend, options: RetryOptions = {}) {
    super(inner);
    this.#policy = { ...DEFAULT_RETRY_POLICY, ...options.policy };
    this.#clock = options.clock ?? systemRetryClock;
    this.#onRetry = options.onRetry ?? logRetry;
    this.#rate = new RetryRate(options.onManyRetries ?? logManyRetries);
    this.#onState = options.onState ?? (() => {});
  }

  override store(
    key: ObjectKey,
    metadata: ObjectMetadata,
    payload: readonly Uint8Array[],
    options: StoreOptions = {},
  ): Promise<StoreResult> {
    const conditional = options.ifAbsent === true || options.ifVersion !== undefined;
    // Each try needs the payload anew.
    const { consumePayload: _, ...kept } = options;
    let attempts = 0;
    return this.around(operation('store', objectText(key), options), async () => {
      attempts += 1;
      try {
        return await this.inner.store(key, metadata, payload, kept);
      } catch (error) {
        if (!conditional || attempts === 1 || !(error instanceof PreconditionFailedError)) throw error;
        const ours = await this.#findOurs(key, metadata, payload, options);
        if (ours === undefined) throw error;
        return ours;
      }
    });
  }

  /** A listing that fails is begun again; what came already is left out. */
  override async *list(prefix: string, options: RequestOptions = {}): AsyncGenerator<ListedObject> {
    const yielded = new Set<ObjectKey>();
    const subject = operation('list', prefixText(prefix), options);
    let schedule = new RetrySchedule(this.#policy, this.#clock);
    for (let failures = 1; ; failures += 1) {
      try {
        for await (const listed of this.inner.list(prefix, options)) {
          if (yielded.has(listed.key)) continue;
          yielded.add(listed.key);
          this.#answered();
          // It works again.
          if (failures > 1) [failures, schedule] = [1, new RetrySchedule(this.#policy, this.#clock)];
          yield listed;
        }
        this.#answered();
        return;
      } catch (error) {
        await this.#pause(subject, error, failures, schedule);
      }
    }
  }

  protected async around<T>(subject: Operation, run: () => Promise<T>): Promise<T> {
    const schedule = new RetrySchedule(this.#policy, this.#clock);
    for (let failures = 1; ; failures += 1) {
      try {
        const result = await run();
        this.#answered();
        return result;
      } catch (error) {
        await this.#pause(subject, error, failures, schedule);
      }
    }
  }

  #answered(): void {
    if (!this.#inTrouble) return;
    this.#inTrouble = false;
    this.#onState(undefined);
  }

  /** Waits before the next try. @throws the error if there is to be none */
  async #pause(subject: Operation, error: unknown, failures: number, schedule: RetrySchedule): Promise<void> {
    if (error instanceof BackendError) {
      if (isTrouble(error)) {
        this.#inTrouble = true;
        this.#onState(error);
      } else this.#answered();
    }
    if (!(error instanceof BackendError) || !error.temporary || error instanceof NoSpaceError) throw error;
    subject.signal?.throwIfAborted();
    const delayMs = schedule.nextDelayMs(error.retryAfterMs);
    if (delayMs === undefined) {
      throw new GaveUpError(
        `gave up after ${durationText(this.#policy.giveUpAfterMs)} (${subject.name} ${subject.subject}): ${error.message}`,
        { cause: error },
      );
    }
    this.#onRetry({ level: levelOf(failures), operation: subject, failures, delayMs, error });
    this.#rate.count(this.#clock.now());
    await this.#clock.sleep(delayMs, subject.signal);
  }

  async #findOurs(
    key: ObjectKey,
    metadata: ObjectMetadata,
    payload: readonly Uint8Array[],
    { signal }: RequestOptions,
  ): Promise<StoreResult | undefined> {
    const found = await this.inner.fetch(key, signal === undefined ? {} : { signal });
    const same = Buffer.compare(found.payload, Buffer.concat(payload)) === 0 && canonical(found.metadata) === canonical(metadata);
    if (!same) return undefined;
    return { storedSizeBytes: found.storedSizeBytes, ...(found.version === undefined ? {} : { version: found.version }) };
  }
}

/** Whether nothing can be had of the store; what is wrong with one object, or the lack of room, is not that. */
function isTrouble(error: BackendError): boolean {
  if (error instanceof NoSpaceError) return false;
  return error.temporary || TROUBLE.some((kind) => error instanceof kind);
}

function durationText(ms: number): string {
  return ms < MS_PER_HOUR ? `${Math.round(ms / 1000)} seconds` : `${Math.round(ms / MS_PER_HOUR)} hours`;
}

function canonical(metadata: ObjectMetadata): string {
  const sorted = Object.entries(metadata).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(writeBasicMapping(Object.fromEntries(sorted))).toString();
}

function levelOf(failures: number): RetryLogLevel {
  if (failures <= 2) return 'debug';
  return failures <= 4 ? 'info' : 'warn';
}

export function logRetry({ level, operation: { name, subject }, failures, delayMs, error }: RetryEvent): void {
  log[level]('%s of %s failed (%d. time), trying again in %s s: %s', name, subject, failures, (delayMs / 1000).toFixed(2), error.message);
}

function logManyRetries(perSecond: number): void {
  log.warn('The store fails often: %s retries per second during the last minute', perSecond.toFixed(1));
}
