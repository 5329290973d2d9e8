import { setTimeout as sleep } from 'node:timers/promises';
import type { Backend, ListedObject, RequestOptions } from '../backend.ts';
import { InterceptedBackend } from './intercepted-backend.ts';
import type { Operation } from './intercepted-backend.ts';

/** Makes every request take at least `delayMs` longer: a distant store, for benchmarks. A listing is delayed once. */
export class DelayedBackend extends InterceptedBackend {
  readonly #delayMs: number;

  constructor(inner: Backend, delayMs: number) {
    super(inner);
    this.#delayMs = delayMs;
  }

  override async *list(prefix: string, options: RequestOptions = {}): AsyncGenerator<ListedObject> {
    await this.#wait(options.signal);
    yield* this.inner.list(prefix, options);
  }

  protected async around<T>({ signal }: Operation, run: () => Promise<T>): Promise<T> {
    await this.#wait(signal);
    return run();
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    try {
      await sleep(this.#delayMs, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  }
}
