/**
 * The first requests to a store, when it is opened. A person is waiting: what only the user can cure is reported at once, and what may pass
 * by itself is tried again for some seconds, not for a day.
 */
import { setTimeout } from 'node:timers/promises';
import { AuthenticationError, BackendError, HostNotFoundError, MisconfigurationError, PermissionError } from './errors.ts';

const PAUSES_MS = [200, 500, 1000, 2000];
/** After this time no further try begins. */
const PATIENCE_MS = 8000;

export interface FirstContactClock {
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

const realClock: FirstContactClock = { now: () => performance.now(), sleep: (ms) => setTimeout(ms) };

/** The attempt's result, or the error of the last attempt. */
export async function firstContact<T>(attempt: () => Promise<T>, clock: FirstContactClock = realClock): Promise<T> {
  const startMs = clock.now();
  for (let tries = 0; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      const pauseMs = PAUSES_MS[tries];
      if (pauseMs === undefined || !mayPass(error) || clock.now() - startMs + pauseMs > PATIENCE_MS) throw error;
      await clock.sleep(pauseMs);
    }
  }
}

function mayPass(error: unknown): boolean {
  if (!(error instanceof BackendError) || !error.temporary) return false;
  return ![AuthenticationError, PermissionError, HostNotFoundError, MisconfigurationError].some((type) => error instanceof type);
}
