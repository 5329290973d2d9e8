import type { BackendSpec } from './backend-factory.ts';
import { type ConnectedBackend, openDecorated } from './decorated-backend.ts';
import { backendFactoryFor } from './open-backend.ts';
import { ThreadedBackend } from './threaded-backend.ts';

/** How a command comes by its store; tests give another. */
export type Connect = (spec: BackendSpec) => Promise<ConnectedBackend>;

/**
 * A store as the program uses it: limited, retried, counted and logged, in a thread of its own if its work is more than passing bytes on.
 * @throws as BackendFactory.open
 */
export function connect(spec: BackendSpec): Promise<ConnectedBackend> {
  return backendFactoryFor(spec.url).inCallersThread === true ? openDecorated(spec) : ThreadedBackend.open(spec);
}
