/** What the transform pool and its workers say to each other. Buffers are transferred, never copied. */
import { backendErrorClasses } from '../backends/error-classes.ts';
import type { ObjectMetadata } from '../backends/object-metadata.ts';
import type { CompressionSpec } from '../envelope/compression-spec.ts';
import type { EnvelopeSpec } from '../envelope/envelope.ts';
import { IntegrityError } from '../envelope/integrity-error.ts';
import { ErrorTransfer, type TransferredError } from '../util/error-transfer.ts';

export interface TransformWorkerData {
  readonly envelope: EnvelopeSpec;
}

export type TransformTask =
  | { readonly kind: 'hash'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'hash-file'; readonly fd: number; readonly position: number; readonly lengthBytes: number }
  | { readonly kind: 'seal'; readonly key: string; readonly bytes: Uint8Array<ArrayBuffer>; readonly compression: CompressionSpec }
  | {
      readonly kind: 'open';
      readonly key: string;
      readonly metadata: ObjectMetadata;
      readonly payload: Uint8Array<ArrayBuffer>;
      readonly maxSizeBytes: number | undefined;
      readonly expectedDigest: Uint8Array | undefined;
    };

/** Result by kind of task. */
export interface TransformResults {
  hash: { readonly digest: Uint8Array; readonly bytes: Uint8Array<ArrayBuffer> };
  'hash-file': { readonly digest: Uint8Array; readonly bytes: Uint8Array<ArrayBuffer> };
  seal: { readonly metadata: ObjectMetadata; readonly payload: Uint8Array<ArrayBuffer> };
  open: { readonly bytes: Uint8Array<ArrayBuffer> };
}

export interface TransformRequest {
  readonly id: number;
  readonly task: TransformTask;
}

export type TransformReply =
  | { readonly id: number; readonly result: TransformResults[TransformTask['kind']] }
  | { readonly id: number; readonly error: TransferredError };

export const transformErrors: ErrorTransfer = new ErrorTransfer([...backendErrorClasses, IntegrityError]);
