/** A store as the program uses it: limited to its connections, patient with failures, with every request in the debug log. */
import type { BackendSpec } from './backend-factory.ts';
import type { Backend } from './backend.ts';
import { LimitedBackend } from './decorators/limited.ts';
import { LoggedBackend } from './decorators/logged.ts';
import { RetryingBackend } from './decorators/retry.ts';
import { openBackend } from './open-backend.ts';

/** @throws as BackendFactory.open: what only a person can cure is not tried for long */
export async function connect(spec: BackendSpec): Promise<Backend> {
  return new RetryingBackend(new LoggedBackend(new LimitedBackend(await openBackend(spec), spec.maxConnections)));
}
