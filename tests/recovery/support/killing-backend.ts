/** A store at whose n-th request from now the process dies. */
import type { Backend } from '../../../src/backends/backend.ts';
import { InterceptedBackend, type Operation } from '../../../src/backends/decorators/intercepted-backend.ts';

export interface Death {
  /** Counted from 1. */
  readonly request: number;
  /** Before the store hears of the request, or after it has done it. */
  readonly when: 'before' | 'after';
}

export class KillingBackend extends InterceptedBackend {
  #death: Death | undefined;
  #requests = 0;

  constructor(inner: Backend, death: Death | undefined) {
    super(inner);
    this.arm(death);
  }

  arm(death: Death | undefined): void {
    this.#death = death;
    this.#requests = 0;
  }

  /** Requests since it was armed. */
  get requestCount(): number {
    return this.#requests;
  }

  protected async around<T>({ name }: Operation, run: () => Promise<T>): Promise<T> {
    // Each key of a listing would count.
    if (name === 'list') return run();
    this.#requests += 1;
    const dies = this.#requests === this.#death?.request;
    if (dies && this.#death?.when === 'before') process.kill(process.pid, 'SIGKILL');
    try {
      return await run();
    } finally {
      if (dies) process.kill(process.pid, 'SIGKILL');
    }
  }
}
