/** The envelope of unencrypted file systems: compression, and whatever integrity the compressor's own checksum gives. */
import type { ObjectMetadata } from '../backends/object-metadata.ts';
import type { CompressionSpec } from './compression-spec.ts';
import { compressors } from './compressors/compressors.ts';
import type { Envelope, SealedObject } from './envelope.ts';
import { compressionName, DEFAULT_MAX_PLAINTEXT_BYTES, FORMAT_VERSION, innerMetadata, OuterMetadata } from './outer-metadata.ts';
import { worthwhileCompression } from './worthwhile-compression.ts';

export class PlainEnvelope implements Envelope {
  seal(_key: string, plaintext: Uint8Array<ArrayBuffer>, wanted: CompressionSpec): SealedObject {
    const compression = worthwhileCompression(plaintext, wanted);
    return {
      metadata: {
        format_version: FORMAT_VERSION,
        compression: compressionName(compression.algorithm),
        encryption: 'None',
        data: innerMetadata(plaintext.byteLength),
      },
      payload: compressors[compression.algorithm].compress(plaintext, compression.level),
    };
  }

  open(
    key: string,
    metadata: ObjectMetadata,
    payload: Uint8Array<ArrayBuffer>,
    maxSizeBytes: number = DEFAULT_MAX_PLAINTEXT_BYTES,
  ): Uint8Array<ArrayBuffer> {
    const outer = new OuterMetadata(key, metadata);
    outer.requireVersion();
    outer.requireEncryption('None');
    return outer.decompress(outer.bytes('data'), outer.skipOffset(payload), maxSizeBytes);
  }
}
