import type { BackendSpec } from '../backend-factory.ts';
import type { Backend } from '../backend.ts';
import { LimitedBackend } from '../decorators/limited.ts';
import { LoggedBackend } from '../decorators/logged.ts';
import { RetryingBackend } from '../decorators/retry.ts';
import { openBackend } from '../open-backend.ts';

/** Somebody is waiting: a store that fails for so long has failed the check. */
const PATIENCE_MS = 10_000;

/** A store as the program uses it, but without its patience. @throws as BackendFactory.open */
export async function openForCheck(spec: BackendSpec): Promise<Backend> {
  const limited = new LimitedBackend(await openBackend(spec), spec.maxConnections);
  return new RetryingBackend(new LoggedBackend(limited), {
    policy: { giveUpAfterMs: PATIENCE_MS, maxDelayMs: PATIENCE_MS / 5, maxRetryAfterMs: PATIENCE_MS / 2 },
  });
}
