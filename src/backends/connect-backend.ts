/**
 * A store as the program uses it: opened, with its requests limited in number, tried again when they fail for the moment, and logged on
 * demand. HTTP stores should run in a thread of their own (ThreadedBackend), where this is called.
 */
import type { BackendSpec } from './backend-factory.ts';
import type { Backend } from './backend.ts';
import { LimitedBackend } from './decorators/limited.ts';
import { LoggedBackend } from './decorators/logged.ts';
import { RetryingBackend } from './decorators/retry.ts';
import type { RetryPolicy } from './decorators/retry-policy.ts';
import { openBackend } from './open-backend.ts';

export interface ConnectOptions {
  readonly retry?: Partial<RetryPolicy>;
}

/** @throws as openBackend: what fails while the store is being opened is not tried again */
export async function connectBackend(spec: BackendSpec, options: ConnectOptions = {}): Promise<Backend> {
  const store = new LoggedBackend(await openBackend(spec));
  // A request that waits before its next try takes nobody's turn.
  return new RetryingBackend(new LimitedBackend(store, spec.maxConnections), options.retry === undefined ? {} : { policy: options.retry });
}
