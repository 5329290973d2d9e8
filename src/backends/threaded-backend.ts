/**
 * A store in a worker thread of its own: TLS, JSON, retries and their garbage do not hold up the caller's thread. The thread runs what
 * openDecorated makes, so a request is retried there, and each payload crosses once.
 *
 * A thread that dies fails the requests it had with a temporary error; the next request starts another. A store without requests under way
 * does not keep the process alive.
 */
import { Worker } from 'node:worker_threads';
import { transferable } from '../util/transferable.ts';
import { workerUrl } from '../util/worker-url.ts';
import type { BackendSpec } from './backend-factory.ts';
import { backendErrors } from './backend-thread-protocol.ts';
import type { BackendWorkerData, Call, Calls, Method, Opened, Reply, Request } from './backend-thread-protocol.ts';
import type {
  Capabilities,
  FetchedObject,
  FetchOptions,
  ListedObject,
  ObjectStat,
  RequestOptions,
  StoreOptions,
  StoreResult,
} from './backend.ts';
import type { BandwidthLimits } from './bandwidth/bandwidth.ts';
import type { ConnectedBackend } from './decorated-backend.ts';
import type { StoreStateListener } from './decorators/retry.ts';
import { BackendError } from './errors.ts';
import type { ObjectMetadata } from './object-metadata.ts';
import { StoreMetrics, type StoreMetricsSnapshot } from './store-metrics.ts';

interface PendingCall {
  readonly resolve: (result: Calls[Method]['result']) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
}

export class ThreadedBackend implements ConnectedBackend {
  readonly #metrics: StoreMetrics;
  readonly #onState: StoreStateListener;
  /** For a thread that has to be started again. */
  #workerData: BackendWorkerData;
  /** Undefined after the thread has died. */
  #thread: Promise<BackendThread> | undefined;
  readonly url: string;
  readonly capabilities: Capabilities;
  #lastListing = 0;
  #disposed = false;

  private constructor(workerData: BackendWorkerData, thread: BackendThread, metrics: StoreMetrics, onState: StoreStateListener) {
    this.#metrics = metrics;
    this.#workerData = workerData;
    this.#onState = onState;
    this.url = thread.url;
    this.capabilities = thread.capabilities;
    this.#adopt(thread);
  }

  /** @throws as BackendFactory.open */
  static async open(spec: BackendSpec, onState: StoreStateListener = () => {}): Promise<ThreadedBackend> {
    const metrics = new StoreMetrics();
    const workerData = { spec, metricsMemory: metrics.memory };
    return new ThreadedBackend(workerData, await BackendThread.start(workerData), metrics, onState);
  }

  metrics(): StoreMetricsSnapshot {
    return this.#metrics.snapshot();
  }

  setBandwidth(limits: BandwidthLimits): void {
    const { spec } = this.#workerData;
    const { upload = spec.bandwidthLimits?.upload, download = spec.bandwidthLimits?.download } = limits;
    this.#workerData = { ...this.#workerData, spec: { ...spec, bandwidthLimits: { upload, download } } };
    void this.#thread?.then((thread) => thread.setBandwidth({ upload, download }));
  }

  store(key: string, metadata: ObjectMetadata, payload: readonly Uint8Array[], options: StoreOptions = {}): Promise<StoreResult> {
    const { signal, consumePayload = false, ...rest } = options;
    // Transferring takes a buffer from its owner, so what is not ours is copied.
    const parts = payload.map((part) => (consumePayload ? transferable(part) : new Uint8Array(part)));
    const buffers = parts.map(({ buffer }) => buffer);
    return this.#call<'store'>({ method: 'store', key, metadata, payload: parts, options: rest }, signal, buffers);
  }

  fetch(key: string, { signal, ...options }: FetchOptions = {}): Promise<FetchedObject> {
    return this.#call<'fetch'>({ method: 'fetch', key, options }, signal);
  }

  stat(key: string, { signal }: RequestOptions = {}): Promise<ObjectStat> {
    return this.#call<'stat'>({ method: 'stat', key }, signal);
  }

  delete(key: string, { signal }: RequestOptions = {}): Promise<void> {
    return this.#call<'delete'>({ method: 'delete', key }, signal);
  }

  deleteMany(keys: readonly string[], { signal }: RequestOptions = {}): Promise<void> {
    return this.#call<'deleteMany'>({ method: 'deleteMany', keys }, signal);
  }

  copy(source: string, target: string, { signal }: RequestOptions = {}): Promise<void> {
    return this.#call<'copy'>({ method: 'copy', source, target }, signal);
  }

  async *list(prefix: string, { signal }: RequestOptions = {}): AsyncGenerator<ListedObject> {
    signal?.throwIfAborted();
    this.#lastListing += 1;
    const listing = this.#lastListing;
    // All parts of a listing come from one thread: a new one would begin from the start.
    const thread = await this.#runningThread();
    let finished = false;
    try {
      for (let begin = true; !finished; begin = false) {
        const chunk = await thread.call<'list'>({ method: 'list', listing, prefix, begin }, signal);
        finished = chunk.done;
        yield* chunk.objects;
      }
    } finally {
      if (!thread.dead) await thread.call<'endList'>({ method: 'endList', listing }, undefined);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    const thread = await this.#thread;
    await thread?.end();
  }

  async #call<M extends Method>(
    call: Extract<Call, { method: M }>,
    signal: AbortSignal | undefined,
    buffers: readonly ArrayBuffer[] = [],
  ): Promise<Calls[M]['result']> {
    signal?.throwIfAborted();
    return (await this.#runningThread()).call(call, signal, buffers);
  }

  async #runningThread(): Promise<BackendThread> {
    if (this.#disposed) throw new Error(`${this.url} is closed`);
    this.#thread ??= this.#restart();
    return this.#thread;
  }

  async #restart(): Promise<BackendThread> {
    try {
      const thread = await BackendThread.start(this.#workerData);
      this.#adopt(thread);
      return thread;
    } catch (error) {
      this.#thread = undefined;
      throw error;
    }
  }

  #adopt(thread: BackendThread): void {
    this.#thread = Promise.resolve(thread);
    thread.onState = this.#onState;
    thread.onDeath = () => (this.#thread = undefined);
  }
}

/** One worker and the calls it has. */
class BackendThread {
  readonly url: string;
  readonly capabilities: Capabilities;
  onDeath: () => void = () => undefined;
  onState: StoreStateListener = () => undefined;
  readonly #worker: Worker;
  readonly #calls = new Map<number, PendingCall>();
  #lastId = 0;
  #death: BackendError | undefined;

  private constructor(worker: Worker, url: string, capabilities: Capabilities) {
    this.url = url;
    this.capabilities = capabilities;
    this.#worker = worker;
    let cause: unknown;
    worker.on('message', (reply: Reply) => this.#settle(reply));
    worker.on('error', (error) => (cause = error));
    worker.on('exit', (code) =>
      this.#died(new BackendError(`the thread of ${url} has ended (exit code ${code})`, { cause, temporary: true })),
    );
    worker.unref();
  }

  static async start(workerData: BackendWorkerData): Promise<BackendThread> {
    const worker = new Worker(workerUrl('./backend-worker.ts', import.meta.url), { workerData, name: 's3ql-store' });
    const opened = await new Promise<Opened>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new Error(`the thread of ${workerData.spec.url} ended while it started (exit code ${code})`)));
    });
    if ('url' in opened) return new BackendThread(worker, opened.url, opened.capabilities);
    await worker.terminate();
    throw backendErrors.decode(opened.error);
  }

  call<M extends Method>(
    call: Extract<Call, { method: M }>,
    signal: AbortSignal | undefined,
    buffers: readonly ArrayBuffer[] = [],
  ): Promise<Calls[M]['result']> {
    if (this.#death !== undefined) return Promise.reject(this.#death);
    const { promise, resolve, reject } = Promise.withResolvers<Calls[M]['result']>();
    this.#lastId += 1;
    const id = this.#lastId;
    const abort = (): void => this.#worker.postMessage({ abort: id } satisfies Request);
    if (this.#calls.size === 0) this.#worker.ref();
    this.#calls.set(id, { resolve, reject, signal });
    signal?.addEventListener('abort', abort, { once: true });
    this.#worker.postMessage({ id, call } satisfies Request, buffers);
    return promise.finally(() => signal?.removeEventListener('abort', abort));
  }

  setBandwidth(bandwidth: BandwidthLimits): void {
    this.#worker.postMessage({ bandwidth } satisfies Request);
  }

  get dead(): boolean {
    return this.#death !== undefined;
  }

  /** Closes the store and ends the thread; calls under way fail. */
  async end(): Promise<void> {
    if (this.dead) return;
    await this.call<'dispose'>({ method: 'dispose' }, undefined);
    await this.#worker.terminate();
  }

  #settle(reply: Reply): void {
    if ('trouble' in reply) {
      this.onState(reply.trouble && (backendErrors.decode(reply.trouble) as BackendError));
      return;
    }
    const pending = this.#calls.get(reply.id);
    if (pending === undefined) return;
    this.#calls.delete(reply.id);
    if (this.#calls.size === 0) this.#worker.unref();
    if ('result' in reply) pending.resolve(reply.result);
    else if ('error' in reply) pending.reject(backendErrors.decode(reply.error));
    else pending.reject(pending.signal?.reason);
  }

  #died(error: BackendError): void {
    this.#death = error;
    this.onDeath();
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
  }
}
