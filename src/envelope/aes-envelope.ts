/**
 * The envelope of encrypted file systems, `AES_v2` (S3QL format 2.5): compress, frame with an HMAC, encrypt with AES-256-CTR. Keys are
 * derived for each object from the secret and a nonce of time and name; the counter always begins at zero, so a nonce must never recur.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { ObjectMetadata } from '../backends/object-metadata.ts';
import { checksumInput } from '../util/mapping-checksum.ts';
import { releaseBuffer } from '../util/release-buffer.ts';
import type { CompressionSpec } from './compression-spec.ts';
import { compressors } from './compressors/compressors.ts';
import type { Envelope, SealedObject } from './envelope.ts';
import { NonceClock } from './nonce-clock.ts';
import { compressionName, DEFAULT_MAX_PLAINTEXT_BYTES, FORMAT_VERSION, innerMetadata, OuterMetadata } from './outer-metadata.ts';
import { frame, unframe } from './payload-frames.ts';
import { worthwhileCompression } from './worthwhile-compression.ts';

const ENCRYPTION = 'AES_v2';
const CIPHER = 'aes-256-ctr';
const ZERO_COUNTER = new Uint8Array(16);
const META_SUFFIX = new TextEncoder().encode('meta');
const NO_BYTES = new Uint8Array(0);

export class AesEnvelope implements Envelope {
  readonly #secret: Uint8Array;
  readonly #clock: NonceClock;

  /** @param secret the master key, or a passphrase in UTF-8 */
  constructor(secret: Uint8Array, clock: NonceClock = new NonceClock()) {
    this.#secret = secret;
    this.#clock = clock;
  }

  seal(key: string, plaintext: Uint8Array<ArrayBuffer>, wanted: CompressionSpec): SealedObject {
    const compression = worthwhileCompression(plaintext, wanted);
    const nonce = this.#nonce(key);
    const metadataKey = this.#derive(nonce, META_SUFFIX);
    const dataKey = this.#derive(nonce, NO_BYTES);
    const unsigned = {
      format_version: FORMAT_VERSION,
      compression: compressionName(compression.algorithm),
      encryption: ENCRYPTION,
      nonce,
      data: encrypt(metadataKey, innerMetadata(plaintext.byteLength)),
      object_id: key,
    };
    const packed = compressors[compression.algorithm].compress(plaintext, compression.level);
    const framed = frame(dataKey, packed);
    if (packed.buffer !== plaintext.buffer) releaseBuffer(packed);
    const payload = encrypt(dataKey, framed);
    releaseBuffer(framed);
    return { metadata: { ...unsigned, signature: sign(metadataKey, unsigned) }, payload };
  }

  open(
    key: string,
    metadata: ObjectMetadata,
    payload: Uint8Array<ArrayBuffer>,
    maxSizeBytes: number = DEFAULT_MAX_PLAINTEXT_BYTES,
  ): Uint8Array<ArrayBuffer> {
    const outer = new OuterMetadata(key, metadata);
    outer.requireVersion();
    outer.requireEncryption(ENCRYPTION);
    const nonce = outer.bytes('nonce');
    const metadataKey = this.#derive(nonce, META_SUFFIX);
    const signature = outer.bytes('signature');
    const expected = sign(metadataKey, metadata);
    if (signature.byteLength !== expected.byteLength || !timingSafeEqual(signature, expected)) {
      throw outer.error('its metadata was changed, or the key is another one');
    }
    const storedAs = outer.objectId();
    if (storedAs !== key) throw outer.error(`it is really object ${String(storedAs)}`);

    const inner = decrypt(metadataKey, outer.bytes('data'));
    const dataKey = this.#derive(nonce, NO_BYTES);
    const packed = unframe(dataKey, decrypt(dataKey, outer.skipOffset(payload)));
    if (typeof packed === 'string') throw outer.error(packed);
    const plaintext = outer.decompress(inner, packed, maxSizeBytes);
    if (plaintext.buffer !== packed.buffer) releaseBuffer(packed);
    return plaintext;
  }

  #nonce(key: string): Uint8Array {
    const name = Buffer.from(key, 'utf8');
    const nonce = Buffer.alloc(8 + name.byteLength);
    nonce.writeDoubleLE(this.#clock.next());
    nonce.set(name, 8);
    return nonce;
  }

  #derive(nonce: Uint8Array, suffix: Uint8Array): Buffer {
    return createHash('sha256').update(this.#secret).update(nonce).update(suffix).digest();
  }
}

function sign(metadataKey: Uint8Array, metadata: ObjectMetadata): Buffer {
  return createHmac('sha256', metadataKey).update(checksumInput(metadata)).digest();
}

// CTR has neither padding nor a tail: update() returns everything.
function encrypt(key: Uint8Array, plain: Uint8Array): Buffer<ArrayBuffer> {
  return createCipheriv(CIPHER, key, ZERO_COUNTER).update(plain);
}

function decrypt(key: Uint8Array, encrypted: Uint8Array): Buffer<ArrayBuffer> {
  return createDecipheriv(CIPHER, key, ZERO_COUNTER).update(encrypted);
}
