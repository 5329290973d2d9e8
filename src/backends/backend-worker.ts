/** The thread behind a ThreadedBackend: opens a store and does what it is asked, many requests at a time. */
import { parentPort, workerData } from 'node:worker_threads';
import { transferable } from '../util/transferable.ts';
import { backendErrors } from './backend-thread-protocol.ts';
import type { BackendWorkerData, Call, Calls, ListChunk, Method, Opened, Reply, Request } from './backend-thread-protocol.ts';
import type { Backend, ListedObject } from './backend.ts';
import { openDecorated } from './decorated-backend.ts';
import { StoreMetrics } from './store-metrics.ts';
import type { BackendError } from './errors.ts';

const MAX_CHUNK_OBJECTS = 1000;

if (parentPort === null) throw new Error('this module runs in a worker thread only');
const port = parentPort;
const running = new Map<number, AbortController>();
const listings = new Map<number, Listing>();

/** A listing under way, with a signal that outlives the single calls. */
interface Listing {
  readonly objects: AsyncIterator<ListedObject>;
  readonly controller: AbortController;
}

try {
  const { spec, metricsMemory } = workerData as BackendWorkerData;
  const onState = (trouble: BackendError | undefined): void =>
    port.postMessage({ trouble: trouble && backendErrors.encode(trouble) } satisfies Reply);
  const backend = await openDecorated(spec, { metrics: new StoreMetrics(metricsMemory), onState });
  port.on('message', (request: Request) => {
    if ('abort' in request) running.get(request.abort)?.abort();
    else if ('bandwidth' in request) backend.setBandwidth(request.bandwidth);
    else void answer(backend, request.id, request.call);
  });
  const { url, capabilities } = backend;
  port.postMessage({ url, capabilities: { ...capabilities } } satisfies Opened);
} catch (error) {
  port.postMessage({ error: backendErrors.encode(error) } satisfies Opened);
}

async function answer(backend: Backend, id: number, call: Call): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const result = await run(backend, call, controller.signal);
    port.postMessage({ id, result } satisfies Reply, payloadBuffers(result));
  } catch (error) {
    const aborted = controller.signal.aborted && error === controller.signal.reason;
    port.postMessage((aborted ? { id, aborted } : { id, error: backendErrors.encode(error) }) satisfies Reply);
  } finally {
    running.delete(id);
  }
}

async function run(backend: Backend, call: Call, signal: AbortSignal): Promise<Calls[Method]['result']> {
  switch (call.method) {
    case 'store':
      return backend.store(call.key, call.metadata, call.payload, { ...call.options, signal });
    case 'fetch': {
      const fetched = await backend.fetch(call.key, { ...call.options, signal });
      return { ...fetched, payload: transferable(fetched.payload) };
    }
    case 'stat':
      return backend.stat(call.key, { signal });
    case 'delete':
      return backend.delete(call.key, { signal });
    case 'deleteMany':
      return backend.deleteMany(call.keys, { signal });
    case 'copy':
      return backend.copy(call.source, call.target, { signal });
    case 'list':
      return nextChunk(call.begin ? beginListing(backend, call.listing, call.prefix) : knownListing(call.listing), signal);
    case 'endList':
      await listings.get(call.listing)?.objects.return?.();
      listings.delete(call.listing);
      return undefined;
    case 'dispose':
      return backend[Symbol.asyncDispose]();
    default:
      throw new TypeError('unknown call', { cause: call satisfies never });
  }
}

function beginListing(backend: Backend, number: number, prefix: string): Listing {
  const controller = new AbortController();
  const listing = { objects: backend.list(prefix, { signal: controller.signal })[Symbol.asyncIterator](), controller };
  listings.set(number, listing);
  return listing;
}

function knownListing(number: number): Listing {
  const listing = listings.get(number);
  if (listing === undefined) throw new RangeError(`there is no listing ${number}`);
  return listing;
}

async function nextChunk(listing: Listing, signal: AbortSignal): Promise<ListChunk> {
  const abort = (): void => listing.controller.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    const objects: ListedObject[] = [];
    while (objects.length < MAX_CHUNK_OBJECTS) {
      const next = await listing.objects.next();
      if (next.done === true) return { objects, done: true };
      objects.push(next.value);
    }
    return { objects, done: false };
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function payloadBuffers(result: Calls[Method]['result']): ArrayBuffer[] {
  return result !== undefined && 'payload' in result && result.payload.buffer instanceof ArrayBuffer ? [result.payload.buffer] : [];
}
