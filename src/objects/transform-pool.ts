/**
 * Worker threads for what takes long on whole blocks: hashing, compression, encryption. Started when there is work, at most `maxThreads`; each has a few
 * tasks in its inbox so that it never waits for the caller's thread, the rest wait here in order of arrival. How much can wait is up to the
 * callers, who limit their uploads and downloads.
 *
 * A worker that dies (out of memory in a compressor) fails its tasks and is replaced by the next task. Idle workers keep no process alive.
 */
import { Worker } from 'node:worker_threads';
import { IntegrityError } from '../envelope/integrity-error.ts';
import type { EnvelopeSpec } from '../envelope/envelope.ts';
import { workerUrl } from '../util/worker-url.ts';
import type { TransformReply, TransformResults, TransformTask, TransformWorkerData } from './transform-protocol.ts';

const INBOX_TASKS = 2;

interface Waiting {
  readonly task: TransformTask;
  readonly resolve: (result: TransformResults[TransformTask['kind']]) => void;
  readonly reject: (error: unknown) => void;
}

class PoolThread {
  readonly worker: Worker;
  /** Tasks in the worker's inbox, by request id. */
  readonly inbox = new Map<number, Waiting>();

  constructor(data: TransformWorkerData) {
    this.worker = new Worker(workerUrl('./transform-worker.ts', import.meta.url), { workerData: data, name: 'transform' });
    this.worker.unref();
  }
}

export class TransformPool implements AsyncDisposable {
  readonly #data: TransformWorkerData;
  readonly #maxThreads: number;
  readonly #threads = new Set<PoolThread>();
  readonly #queue: Waiting[] = [];
  #nextId = 0;
  #closed = false;

  constructor(envelope: EnvelopeSpec, maxThreads: number) {
    this.#data = { envelope };
    this.#maxThreads = maxThreads;
  }

  /** Buffers in the task are transferred. @throws IntegrityError */
  run<Task extends TransformTask>(task: Task): Promise<TransformResults[Task['kind']]> {
    if (this.#closed) return Promise.reject(new Error('the transform pool is closed'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ task, resolve: resolve as Waiting['resolve'], reject });
      this.#dispatch();
    });
  }

  /** Ends all threads; tasks that are not done are rejected. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const error = new Error('the transform pool was closed');
    for (const waiting of this.#queue.splice(0)) waiting.reject(error);
    await Promise.all([...this.#threads].map((thread) => thread.worker.terminate()));
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const thread = this.#freeThread();
      if (thread === undefined) return;
      const waiting = this.#queue.shift();
      if (waiting !== undefined) this.#send(thread, waiting);
    }
  }

  /** The thread with the emptiest inbox; a new one if all have something to do. */
  #freeThread(): PoolThread | undefined {
    let best: PoolThread | undefined;
    for (const thread of this.#threads) {
      if (best === undefined || thread.inbox.size < best.inbox.size) best = thread;
    }
    if (best !== undefined && best.inbox.size === 0) return best;
    if (this.#threads.size < this.#maxThreads) return this.#start();
    return best !== undefined && best.inbox.size < INBOX_TASKS ? best : undefined;
  }

  #send(thread: PoolThread, waiting: Waiting): void {
    const id = this.#nextId;
    this.#nextId += 1;
    try {
      thread.worker.postMessage({ id, task: waiting.task }, buffersOf(waiting.task));
    } catch (error) {
      waiting.reject(error);
      return;
    }
    if (thread.inbox.size === 0) thread.worker.ref();
    thread.inbox.set(id, waiting);
  }

  #start(): PoolThread {
    const thread = new PoolThread(this.#data);
    this.#threads.add(thread);
    thread.worker.on('message', (reply: TransformReply) => this.#received(thread, reply));
    thread.worker.on('error', (error) => this.#died(thread, error));
    thread.worker.on('exit', (code) => this.#died(thread, new Error(`a transform thread ended with code ${code}`)));
    return thread;
  }

  #received(thread: PoolThread, reply: TransformReply): void {
    const waiting = thread.inbox.get(reply.id);
    if (waiting === undefined) return;
    thread.inbox.delete(reply.id);
    if (thread.inbox.size === 0) thread.worker.unref();
    if ('result' in reply) waiting.resolve(reply.result);
    else if ('damage' in reply) waiting.reject(new IntegrityError(reply.damage.key, reply.damage.reason));
    else waiting.reject(reply.error);
    this.#dispatch();
  }

  #died(thread: PoolThread, error: unknown): void {
    if (!this.#threads.delete(thread)) return;
    for (const waiting of thread.inbox.values()) waiting.reject(error);
    thread.inbox.clear();
    if (!this.#closed) this.#dispatch();
  }
}

function buffersOf(task: TransformTask): ArrayBuffer[] {
  if (task.kind === 'hash-file') return [];
  return [task.kind === 'open' ? task.payload.buffer : task.bytes.buffer];
}
