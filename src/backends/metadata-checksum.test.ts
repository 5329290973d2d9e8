import { expect, test } from 'vitest';
import { metadataHmac, metadataMd5 } from './metadata-checksum.ts';
import type { ObjectMetadata } from './object-metadata.ts';

const time = Buffer.alloc(8);
time.writeDoubleLE(1795360208.5);

const metadata: ObjectMetadata = {
  format_version: 2,
  compression: 'LZMA',
  encryption: 'AES_v2',
  nonce: Buffer.concat([time, Buffer.from('s3ql_data_42')]),
  data: Uint8Array.from({ length: 18 }, (_, i) => i),
  object_id: 's3ql_data_42',
  signature: Uint8Array.from({ length: 32 }, (_, i) => i),
};

test('the checksums of the format’s test vector are right', () => {
  expect(metadataMd5(metadata).toString('hex')).toBe('6e0cd079409871c960332a3b93fb00b3');
  expect(metadataHmac(new Uint8Array(32).fill(1), metadata).toString('hex')).toBe(
    'eebf42889306808f41a87f572d8f7f1b8bdb8dbb0df0e29f86562fb1c547bf6d',
  );
});

test('the order of entries does not matter, every type of value does', () => {
  const values: ObjectMetadata = { a: null, b: true, c: false, d: 5, e: '5', f: new Uint8Array([5]) };
  const reversed = Object.fromEntries(Object.entries(values).toReversed());
  expect(metadataMd5(reversed)).toEqual(metadataMd5(values));
  const digests = Object.keys(values).map((key) => metadataMd5({ x: values[key] ?? null }).toString('hex'));
  expect(new Set(digests).size).toBe(6);
});
