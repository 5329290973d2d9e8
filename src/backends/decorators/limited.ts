import { Semaphore } from '../../util/semaphore.ts';
import type { Backend } from '../backend.ts';
import { InterceptedBackend } from './intercepted-backend.ts';
import type { Operation } from './intercepted-backend.ts';

/**
 * Lets at most `maxConnections` requests be under way; the others wait in order of arrival. A listing takes a turn for each step only, so
 * that whoever lists can do something with the keys meanwhile.
 */
export class LimitedBackend extends InterceptedBackend {
  readonly #turns: Semaphore;

  constructor(inner: Backend, maxConnections: number) {
    super(inner);
    this.#turns = new Semaphore(maxConnections);
  }

  protected around<T>({ signal }: Operation, run: () => Promise<T>): Promise<T> {
    return this.#turns.run(run, signal);
  }
}
