import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { BackendError, CorruptedObjectError } from './errors.ts';
import { metadataFromHeaders, metadataFromMap, metadataToHeaders, metadataToMap } from './metadata-headers.ts';
import type { ObjectMetadata } from './object-metadata.ts';

const s3 = { prefix: 'x-amz-meta-' };

const timeBytes = Buffer.alloc(8);
timeBytes.writeDoubleLE(1_795_360_208.5);
/** The vector of the format description. */
const vector: ObjectMetadata = {
  format_version: 2,
  compression: 'LZMA',
  encryption: 'AES_v2',
  nonce: new Uint8Array(Buffer.concat([timeBytes, Buffer.from('s3ql_data_42')])),
  data: Uint8Array.from({ length: 18 }, (_, index) => index),
  object_id: 's3ql_data_42',
  signature: Uint8Array.from({ length: 32 }, (_, index) => index),
};
const vectorHeaders = {
  'x-amz-meta-000': "'format_version': 2,",
  'x-amz-meta-001': "'compression': 'LZMA',",
  'x-amz-meta-002': "'encryption': 'AES_v2',",
  'x-amz-meta-003': "'nonce': b'AAAgdMHA2kFzM3FsX2RhdGFfNDI=',",
  'x-amz-meta-004': "'data': b'AAECAwQFBgcICQoLDA0ODxAR',",
  'x-amz-meta-005': "'object_id': 's3ql_data_42',",
  'x-amz-meta-006': "'signature': b'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',",
  'x-amz-meta-format': 'raw2',
  'x-amz-meta-md5': 'bgzQeUCYcclgMyo7k/sAsw==',
};

const metadataArbitrary = fc.dictionary(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
  fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 20 }),
    fc.string({ unit: fc.constantFrom(' ', 'a', '%', "'", '"', '\\', '\n', 'é', '😀'), maxLength: 15 }),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 20 }),
  ),
  { maxKeys: 5, noNullPrototype: true },
);

test('the vector of the format is written as seven headers and read back', () => {
  expect(metadataToHeaders(vector, s3)).toEqual(vectorHeaders);
  expect(metadataFromHeaders(vectorHeaders, s3, 'k')).toEqual(vector);
});

test('an entry of 255 characters or more is cut into chunks of 255', () => {
  const headers = metadataToHeaders({ long: 'x'.repeat(600) }, s3);
  expect(['000', '001', '002', '003'].map((name) => headers[`x-amz-meta-${name}`]?.length)).toEqual([255, 255, 101, undefined]);
  const exact = metadataToHeaders({ long: 'x'.repeat(255 - 11) }, s3);
  expect([exact['x-amz-meta-000']?.length, exact['x-amz-meta-001']]).toEqual([255, undefined]);
});

test('a store that allows less per header gets smaller chunks', () => {
  const layout = { prefix: 'x-object-meta-', maxValueChars: 40 };
  const headers = metadataToHeaders(vector, layout);
  expect(Math.max(...Object.values(headers).map((value) => value.length))).toBeLessThanOrEqual(40);
  expect(metadataFromHeaders(headers, layout, 'k')).toEqual(vector);
});

test('any metadata survives HTTP, which trims header values and knows ASCII only', () => {
  fc.assert(
    fc.property(metadataArbitrary, fc.integer({ min: 8, max: 255 }), (metadata, maxValueChars) => {
      const layout = { prefix: 'x-amz-meta-', maxValueChars };
      fc.pre(encodeURIComponent(JSON.stringify(metadata)).length < 1200);
      const headers = metadataToHeaders(metadata, layout);
      for (const value of Object.values(headers)) {
        expect(value).toMatch(/^[\x20-\x7e]+$/);
        expect(value.trim()).toBe(value);
      }
      expect(metadataFromHeaders(headers, layout, 'k')).toEqual(metadata);
    }),
  );
});

test('metadata larger than stores take is refused before it is sent', () => {
  expect(() => metadataToHeaders({ data: 'x'.repeat(2048) }, s3)).toThrow(BackendError);
});

test("headers written by B2's old native interface are read", () => {
  const legacy = Object.fromEntries(Object.entries(vectorHeaders).map(([name, value]) => [name.replace('meta-', 'meta-meta-'), value]));
  expect(metadataFromHeaders(legacy, s3, 'k')).toEqual(vector);
});

test('headers that are missing, damaged or of another format are a corrupted object', () => {
  const { 'x-amz-meta-004': _, ...incomplete } = vectorHeaders;
  const bad = [
    {},
    incomplete,
    { ...vectorHeaders, 'x-amz-meta-format': 'raw3' },
    { ...vectorHeaders, 'x-amz-meta-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' },
    { ...vectorHeaders, 'x-amz-meta-001': "'compression': 'ZLIB'," },
    { ...vectorHeaders, 'x-amz-meta-001': "'compression': %ff," },
    { ...vectorHeaders, 'x-amz-meta-000': "'format_version': 2.5," },
  ];
  for (const headers of bad) expect(() => metadataFromHeaders(headers, s3, 'k')).toThrow(CorruptedObjectError);
});

test("Google's map has a Python literal per key and is read back", () => {
  const map = metadataToMap(vector);
  expect(map).toMatchObject({ format_version: '2', compression: "'LZMA'", nonce: "b'AAAgdMHA2kFzM3FsX2RhdGFfNDI='" });
  expect(metadataFromMap(map, 'k')).toEqual(vector);
  fc.assert(
    fc.property(metadataArbitrary, (metadata) => {
      expect(metadataFromMap(metadataToMap({ a: 1, ...metadata }), 'k')).toEqual({ a: 1, ...metadata });
    }),
  );
});

test("Google's older map with numbered keys is read", () => {
  const legacy = Object.fromEntries(Object.entries(vectorHeaders).map(([name, value]) => [name.replace('x-amz-meta-', ''), value]));
  expect(metadataFromMap(legacy, 'k')).toEqual(vector);
});

test('an empty map is metadata without entries', () => {
  expect(metadataFromMap({}, 'k')).toEqual({});
});

test('a map that no mapping can be read from is a corrupted object', () => {
  for (const map of [{ key: 'value' }, { key: "'a', 'b': 2}" }, { '000': "'a': 1,", format: 'raw2', md5: 'x' }]) {
    expect(() => metadataFromMap(map, 'k')).toThrow(CorruptedObjectError);
  }
});
