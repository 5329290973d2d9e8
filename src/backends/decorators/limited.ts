import { Semaphore } from '../../util/semaphore.ts';
import type { Backend } from '../backend.ts';
import type { Bandwidth } from '../bandwidth/bandwidth.ts';
import { InterceptedBackend } from './intercepted-backend.ts';
import type { Operation } from './intercepted-backend.ts';

/**
 * Lets at most `maxConnections` requests be under way; the others wait in order of arrival. A listing takes a turn for each step only, so
 * that whoever lists can do something with the keys meanwhile.
 *
 * Transfers that a limit of bandwidth holds up may take no more than half of the connections: else slow uploads would leave none for reading,
 * and the other way round.
 */
export class LimitedBackend extends InterceptedBackend {
  readonly #turns: Semaphore;
  readonly #uploads: Semaphore;
  readonly #downloads: Semaphore;
  readonly #bandwidth: Bandwidth | undefined;

  constructor(inner: Backend, maxConnections: number, bandwidth?: Bandwidth) {
    super(inner);
    const half = Math.max(1, Math.floor(maxConnections / 2));
    this.#turns = new Semaphore(maxConnections);
    this.#uploads = new Semaphore(half);
    this.#downloads = new Semaphore(half);
    this.#bandwidth = bandwidth;
  }

  protected around<T>({ name, signal }: Operation, run: () => Promise<T>): Promise<T> {
    const inTurn = (): Promise<T> => this.#turns.run(run, signal);
    if (name === 'store' && this.#bandwidth?.upload.limited === true) return this.#uploads.run(inTurn, signal);
    if (name === 'fetch' && this.#bandwidth?.download.limited === true) return this.#downloads.run(inTurn, signal);
    return inTurn();
  }
}
