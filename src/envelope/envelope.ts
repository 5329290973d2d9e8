/**
 * What an object looks like in the store: compression, encryption, integrity. Everything above asks for `seal` and `open` and does not
 * know which format is behind them; formats are told apart here alone.
 *
 * Envelopes are synchronous and CPU-bound: they run in worker threads, which get an EnvelopeSpec once, when they start.
 */
import type { ObjectKey } from '../backends/backend.ts';
import type { ObjectMetadata } from '../backends/object-metadata.ts';
import { AesEnvelope } from './aes-envelope.ts';
import type { CompressionSpec } from './compression-spec.ts';
import { PlainEnvelope } from './plain-envelope.ts';

export interface SealedObject {
  readonly metadata: ObjectMetadata;
  readonly payload: Uint8Array<ArrayBuffer>;
}

export interface Envelope {
  /** Makes an object of the plaintext, bound to its key. The payload may share memory with the plaintext. */
  seal(key: ObjectKey, plaintext: Uint8Array<ArrayBuffer>, compression: CompressionSpec): SealedObject;
  /**
   * The plaintext of an object, which must be at most `maxSizeBytes` long. It may share memory with the payload.
   * @throws IntegrityError for anything that `seal` did not make under this key with this secret
   */
  open(key: ObjectKey, metadata: ObjectMetadata, payload: Uint8Array<ArrayBuffer>, maxSizeBytes?: number): Uint8Array<ArrayBuffer>;
}

/** How to make an envelope, as data that can be sent to another thread. Holds the secret: never log it. */
export type EnvelopeSpec = { readonly format: 'plain' } | { readonly format: 'aes-v2'; readonly secret: Uint8Array };

/** For a file system without encryption. */
export function plainEnvelope(): EnvelopeSpec {
  return { format: 'plain' };
}

/** For everything in an encrypted file system but the objects that hold its master key. */
export function masterKeyEnvelope(masterKey: Uint8Array): EnvelopeSpec {
  return { format: 'aes-v2', secret: masterKey };
}

/** For the objects that hold the master key. */
export function passphraseEnvelope(passphrase: string): EnvelopeSpec {
  return { format: 'aes-v2', secret: new TextEncoder().encode(passphrase) };
}

export function createEnvelope(spec: EnvelopeSpec): Envelope {
  return spec.format === 'plain' ? new PlainEnvelope() : new AesEnvelope(spec.secret);
}
