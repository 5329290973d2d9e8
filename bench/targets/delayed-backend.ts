/** A store far away: every request is answered so much later. Requests do not wait for each other. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Backend } from '../../src/backends/backend.ts';
import { InterceptedBackend, type Operation } from '../../src/backends/decorators/intercepted-backend.ts';

export class DelayedBackend extends InterceptedBackend {
  readonly #delayMs: number;

  constructor(inner: Backend, delayMs: number) {
    super(inner);
    this.#delayMs = delayMs;
  }

  protected async around<T>({ name, signal }: Operation, run: () => Promise<T>): Promise<T> {
    // A listing comes in pages, not key by key.
    if (name !== 'list') await sleep(this.#delayMs, undefined, signal === undefined ? {} : { signal });
    return run();
  }
}
