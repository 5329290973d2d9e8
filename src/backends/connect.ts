import type { BackendSpec } from './backend-factory.ts';
import type { StoreStateListener } from './decorators/retry.ts';
import { type ConnectedBackend, openDecorated } from './decorated-backend.ts';
import { backendFactoryFor } from './open-backend.ts';
import { ThreadedBackend } from './threaded-backend.ts';

/** How a command comes by its store; tests give another. `onState` hears whether the store works. */
export type Connect = (spec: BackendSpec, onState?: StoreStateListener) => Promise<ConnectedBackend>;

/**
 * A store as the program uses it: limited, retried, counted and logged, in a thread of its own if its work is more than passing bytes on.
 * @throws as BackendFactory.open
 */
export function connect(spec: BackendSpec, onState: StoreStateListener = () => {}): Promise<ConnectedBackend> {
  return backendFactoryFor(spec.url).inCallersThread === true ? openDecorated(spec, { onState }) : ThreadedBackend.open(spec, onState);
}
