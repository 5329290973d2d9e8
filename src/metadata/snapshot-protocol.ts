/** Messages between snapshot.ts and its thread. Every request but `close` gets one reply, in order. */
import type { Figures } from './totals.ts';

export interface WorkerSettings {
  readonly databasePath: string;
  /** For reading the database file: a thread must not open and close one of its own (SQLite's locks would go). */
  readonly fileDescriptor: number;
}

export type Request =
  | { readonly kind: 'count' }
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'freeze'; readonly pieceSizeBytes: number }
  | { readonly kind: 'read'; readonly position: number; readonly lengthBytes: number }
  | { readonly kind: 'close' };

/** How much of the WAL is in the database file. */
export interface CheckpointResult {
  readonly walFrames: number;
  readonly checkpointedFrames: number;
}

export interface FrozenFile {
  readonly sizeBytes: number;
  /** SHA-256 of the whole file. */
  readonly digest: Uint8Array;
  /** SHA-256 of each piece, one after the other. */
  readonly pieceDigests: Uint8Array;
}

export type Reply =
  | { readonly kind: 'done'; readonly result: Figures | CheckpointResult | FrozenFile | Uint8Array<ArrayBuffer> }
  | { readonly kind: 'failed'; readonly error: unknown };
