import type { BackendSpec } from './backend-factory.ts';
import type { Backend } from './backend.ts';
import { LimitedBackend } from './decorators/limited.ts';
import { LoggedBackend } from './decorators/logged.ts';
import { RetryingBackend } from './decorators/retry.ts';
import { openBackend } from './open-backend.ts';

/**
 * Opens a store (by `open`) in this thread, limited to its connections, patient with failures, with every request in the debug log. A request that
 * pauses before its next try takes nobody's turn.
 * @throws as BackendFactory.open: what only a person can cure is not tried for long
 */
export async function openDecorated(spec: BackendSpec, open: typeof openBackend = openBackend): Promise<Backend> {
  return new RetryingBackend(new LoggedBackend(new LimitedBackend(await open(spec), spec.maxConnections)));
}
