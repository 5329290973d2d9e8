/** What a ThreadedBackend and its worker say to each other. Payloads are transferred. */
import { ErrorTransfer } from '../util/error-transfer.ts';
import type { TransferredError } from '../util/error-transfer.ts';
import type { BackendSpec } from './backend-factory.ts';
import type { Capabilities, FetchedObject, FetchOptions, ListedObject, ObjectStat, StoreOptions, StoreResult } from './backend.ts';
import type { BandwidthLimits } from './bandwidth/bandwidth.ts';
import { backendErrorClasses } from './error-classes.ts';
import type { ObjectMetadata } from './object-metadata.ts';

export interface BackendWorkerData {
  readonly spec: BackendSpec;
  /** Of StoreMetrics: the worker counts there. */
  readonly metricsMemory: SharedArrayBuffer;
}

/** The calls, by method: their arguments and results. */
export interface Calls {
  store: {
    readonly arguments: {
      readonly key: string;
      readonly metadata: ObjectMetadata;
      readonly payload: readonly Uint8Array<ArrayBuffer>[];
      readonly options: Omit<StoreOptions, 'signal'>;
    };
    readonly result: StoreResult;
  };
  fetch: { readonly arguments: { readonly key: string; readonly options: Omit<FetchOptions, 'signal'> }; readonly result: FetchedObject };
  stat: { readonly arguments: { readonly key: string }; readonly result: ObjectStat };
  delete: { readonly arguments: { readonly key: string }; readonly result: void };
  deleteMany: { readonly arguments: { readonly keys: readonly string[] }; readonly result: void };
  copy: { readonly arguments: { readonly source: string; readonly target: string }; readonly result: void };
  /** The next part of a listing; `begin` says that it is the first. */
  list: { readonly arguments: { readonly listing: number; readonly prefix: string; readonly begin: boolean }; readonly result: ListChunk };
  /** Forgets a listing. */
  endList: { readonly arguments: { readonly listing: number }; readonly result: void };
  dispose: { readonly arguments: unknown; readonly result: void };
}

export type Method = keyof Calls;
export type Call = { [M in Method]: { readonly method: M } & Calls[M]['arguments'] }[Method];

export interface ListChunk {
  readonly objects: readonly ListedObject[];
  readonly done: boolean;
}

export type Request =
  | { readonly id: number; readonly call: Call }
  | { readonly abort: number }
  /** Limits that hold from now on; there is no answer. */
  | { readonly bandwidth: BandwidthLimits };

/** The worker's first message: whether the store could be opened. */
export type Opened = { readonly url: string; readonly capabilities: Capabilities } | { readonly error: TransferredError };

export type Reply =
  | { readonly id: number; readonly result: Calls[Method]['result'] }
  | { readonly id: number; readonly error: TransferredError }
  /** The call ended because it was aborted. */
  | { readonly id: number; readonly aborted: true }
  /** Not asked for: the store does not work, or (undefined) it works again. */
  | { readonly trouble: TransferredError | undefined };

export const backendErrors: ErrorTransfer = new ErrorTransfer(backendErrorClasses);
