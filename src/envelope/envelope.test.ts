import { createHash, createHmac, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FIXTURE_NAMES, FIXTURE_PASSPHRASE, UnpackedFixture } from '../../tests/support/fixtures.ts';
import { decodeMetadata, payloadOffset } from '../backends/local/object-file.ts';
import type { MetadataValue, ObjectMetadata } from '../backends/object-metadata.ts';
import { checksumInput } from '../util/mapping-checksum.ts';
import type { CompressionSpec } from './compression-spec.ts';
import { createEnvelope, masterKeyEnvelope, passphraseEnvelope, plainEnvelope } from './envelope.ts';
import type { Envelope, EnvelopeSpec, SealedObject } from './envelope.ts';
import { IntegrityError } from './integrity-error.ts';

const masterKey = randomBytes(32);
const aes = createEnvelope(masterKeyEnvelope(masterKey));
const plain = createEnvelope(plainEnvelope());

const compressions: readonly CompressionSpec[] = [
  { algorithm: 'none', level: 6 },
  { algorithm: 'zlib', level: 1 },
  { algorithm: 'bzip2', level: 1 },
  { algorithm: 'lzma', level: 0 },
];

describe.each([
  ['aes', aes],
  ['plain', plain],
])('%s envelope', (_name, envelope) => {
  test.for(compressions)('blocks of all awkward sizes come back through $algorithm', (compression) => {
    for (const sizeBytes of [0, 1, 262_143, 262_144, 262_145, 1_048_576]) {
      const block = randomBytes(sizeBytes).fill(7, 0, sizeBytes >> 1);
      const sealed = envelope.seal('s3ql_data_1', Buffer.from(block), compression);
      expect(Buffer.compare(envelope.open('s3ql_data_1', sealed.metadata, sealed.payload, sizeBytes), block)).toBe(0);
    }
  });

  test('any bytes under any name come back', () => {
    fc.assert(
      fc.property(fc.string(), fc.uint8Array({ maxLength: 3000 }), fc.constantFrom(...compressions), (key, bytes, compression) => {
        const sealed = envelope.seal(key, new Uint8Array(bytes), compression);
        expect(Buffer.compare(envelope.open(key, sealed.metadata, sealed.payload), bytes)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test('an object that is larger than expected is refused', () => {
    for (const compression of compressions) {
      const sealed = envelope.seal('k', Buffer.alloc(1001), compression);
      expect(() => envelope.open('k', sealed.metadata, sealed.payload, 1000)).toThrow(/unpacks to more than 1000 bytes/);
    }
  });
});

test('an unencrypted object is refused in an encrypted file system, and the other way round', () => {
  const [spec] = compressions;
  if (spec === undefined) throw new Error('no compression');
  const [open, secret] = [plain.seal('k', Buffer.from('x'), spec), aes.seal('k', Buffer.from('x'), spec)];
  expect(() => aes.open('k', open.metadata, open.payload)).toThrow(/is not encrypted/);
  expect(() => plain.open('k', secret.metadata, secret.payload)).toThrow(/it is encrypted/);
});

describe('an encrypted object', () => {
  const sealed = aes.seal('s3ql_data_7', Buffer.from('the quick brown fox'.repeat(20)), { algorithm: 'zlib', level: 6 });
  const reasonFor = (envelope: Envelope, key: string, object: SealedObject): string => {
    try {
      envelope.open(key, object.metadata, object.payload);
    } catch (error) {
      if (error instanceof IntegrityError && error.key === key) return error.reason;
      throw error;
    }
    return 'accepted';
  };

  test('has a fresh nonce each time it is sealed', () => {
    const again = aes.seal('s3ql_data_7', Buffer.from('x'), { algorithm: 'none', level: 6 });
    expect(again.metadata['nonce']).not.toEqual(sealed.metadata['nonce']);
  });

  test('is refused with another key', () => {
    expect(reasonFor(createEnvelope(masterKeyEnvelope(randomBytes(32))), 's3ql_data_7', sealed)).toMatch(/key is another/);
  });

  test('is refused under another name', () => {
    expect(reasonFor(aes, 's3ql_data_8', sealed)).toBe('it is really object s3ql_data_7');
  });

  test('is refused if its payload is that of an older version', () => {
    const older = aes.seal('s3ql_data_7', Buffer.from('older'), { algorithm: 'zlib', level: 6 });
    expect(reasonFor(aes, 's3ql_data_7', { metadata: sealed.metadata, payload: older.payload })).toMatch(/payload/);
  });

  test('is refused with any byte of its payload flipped, any missing, any added', () => {
    fc.assert(
      fc.property(fc.nat(sealed.payload.byteLength - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const flipped = Buffer.from(sealed.payload);
        flipped[at] = (flipped[at] ?? 0) ^ mask;
        expect(reasonFor(aes, 's3ql_data_7', { metadata: sealed.metadata, payload: flipped })).toMatch(/payload/);
        const cut = { metadata: sealed.metadata, payload: sealed.payload.slice(0, at) };
        expect(reasonFor(aes, 's3ql_data_7', cut)).toMatch(/payload/);
      }),
    );
    const longer = Buffer.concat([sealed.payload, Buffer.alloc(1)]);
    expect(reasonFor(aes, 's3ql_data_7', { metadata: sealed.metadata, payload: longer })).toMatch(/follows its payload|checksum/);
  });

  test('is refused with any change to its metadata', () => {
    const changed = (value: MetadataValue, by: number): MetadataValue => {
      if (typeof value === 'number') return value + 1 + by;
      if (typeof value === 'string') return `${value}${by}`;
      if (!(value instanceof Uint8Array)) return by;
      const bytes = Buffer.from(value);
      bytes[by % bytes.byteLength] = (bytes[by % bytes.byteLength] ?? 0) ^ (1 + (by % 255));
      return bytes;
    };
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(sealed.metadata)), fc.nat(1000), (name, by) => {
        const metadata = { ...sealed.metadata, [name]: changed(sealed.metadata[name] ?? null, by) };
        expect(reasonFor(aes, 's3ql_data_7', { metadata, payload: sealed.payload })).not.toBe('accepted');
        const { [name]: _removed, ...rest } = sealed.metadata;
        expect(reasonFor(aes, 's3ql_data_7', { metadata: rest, payload: sealed.payload })).not.toBe('accepted');
      }),
    );
    const added = { ...sealed.metadata, payload_offset: 0 };
    expect(reasonFor(aes, 's3ql_data_7', { metadata: added, payload: sealed.payload })).toMatch(/metadata was changed/);
  });

  test('may have bytes before its payload, as upgraded objects have', () => {
    const opened = openWithOffset(3);
    expect(Buffer.from(opened).toString()).toBe('upgraded');
    expect(() => openWithOffset(10_000)).toThrow(/payload offset/);
  });

  /** An object as an upgrade left it: signed with a payload_offset, three bytes before its payload. */
  function openWithOffset(offset: number): Uint8Array {
    const object = plain.seal('k', Buffer.from('upgraded'), { algorithm: 'none', level: 6 });
    const metadata: ObjectMetadata = { ...object.metadata, payload_offset: offset };
    return plain.open('k', metadata, Buffer.concat([Buffer.from('old'), object.payload]));
  }
});

test('metadata of hostile types is refused', () => {
  const sealed = plain.seal('k', Buffer.from('x'), { algorithm: 'zlib', level: 6 });
  const hostile: ObjectMetadata[] = [
    {},
    { ...sealed.metadata, format_version: '2' },
    { ...sealed.metadata, format_version: true },
    { ...sealed.metadata, compression: 'ZSTD' },
    { ...sealed.metadata, compression: '__proto__' },
    { ...sealed.metadata, compression: null },
    { ...sealed.metadata, data: 'text' },
    { ...sealed.metadata, data: Buffer.from('{ 1+1 }') },
    { ...sealed.metadata, payload_offset: -1 },
    { ...sealed.metadata, payload_offset: 'x' },
  ];
  for (const metadata of hostile) expect(() => plain.open('k', metadata, sealed.payload)).toThrow(IntegrityError);
});

test('an object without a size in its inner metadata opens, as older ones lack it', () => {
  const sealed = plain.seal('k', Buffer.from('x'), { algorithm: 'bzip2', level: 6 });
  const metadata = { ...sealed.metadata, data: Buffer.from('{  }') };
  expect(Buffer.from(plain.open('k', metadata, sealed.payload)).toString()).toBe('x');
});

describe.each(FIXTURE_NAMES)('the file system %s made by S3QL', (name) => {
  test('opens, every object of it', () => {
    using fixture = new UnpackedFixture(name);
    const read = (key: string, path: string, spec: EnvelopeSpec): Uint8Array => {
      const file = readFileSync(join(fixture.directory, path));
      return createEnvelope(spec).open(key, decodeMetadata(key, file), file.subarray(payloadOffset(key, file)));
    };
    const passphrase = passphraseEnvelope(FIXTURE_PASSPHRASE);
    const spec = name.startsWith('aes') ? masterKeyEnvelope(read('s3ql_passphrase', 's3ql_passphrase', passphrase)) : plainEnvelope();
    const sizes = readdirSync(fixture.directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name: key, parentPath }) => {
        const path = join(parentPath.slice(fixture.directory.length), key);
        return read(key, path, key.startsWith('s3ql_passphrase') ? passphrase : spec).byteLength;
      });
    expect(sizes.length).toBeGreaterThan(40);
    expect(Math.max(...sizes)).toBe(131_072);
  });
});

test('keys and nonces are derived as S3QL does it', () => {
  const { metadata } = aes.seal('some key', Buffer.from('x'), { algorithm: 'none', level: 6 });
  const nonce = Buffer.from(metadata['nonce'] as Uint8Array);
  expect(nonce.subarray(8).toString()).toBe('some key');
  expect(Math.abs(nonce.readDoubleLE(0) - Date.now() / 1000)).toBeLessThan(3600);
  const metadataKey = createHash('sha256').update(masterKey).update(nonce).update('meta').digest();
  expect(metadata['signature']).toEqual(createHmac('sha256', metadataKey).update(checksumInput(metadata)).digest());
});
