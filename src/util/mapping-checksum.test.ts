import { createHash, createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { checksumInput } from './mapping-checksum.ts';
import { Float } from './python-float.ts';

const timeBytes = Buffer.alloc(8);
timeBytes.writeDoubleLE(1_795_360_208.5);

/** The test vector of the format description. */
const vector = {
  format_version: 2,
  compression: 'LZMA',
  encryption: 'AES_v2',
  nonce: Buffer.concat([timeBytes, Buffer.from('s3ql_data_42')]),
  data: Uint8Array.from({ length: 18 }, (_, index) => index),
  object_id: 's3ql_data_42',
  signature: Uint8Array.from({ length: 32 }, (_, index) => index),
};

test('MD5 and HMAC over a mapping agree with the vectors of the format', () => {
  const input = checksumInput(vector);
  expect(createHash('md5').update(input).digest('hex')).toBe('6e0cd079409871c960332a3b93fb00b3');
  expect(createHmac('sha256', Buffer.alloc(32, 1)).update(input).digest('hex')).toBe(
    'eebf42889306808f41a87f572d8f7f1b8bdb8dbb0df0e29f86562fb1c547bf6d',
  );
});

test('neither the order of entries nor the signature changes the input', () => {
  const { signature: _, ...unsigned } = vector;
  const reversed = Object.fromEntries(Object.entries(unsigned).toReversed());
  expect(checksumInput(reversed)).toEqual(checksumInput(vector));
});

test('keys are sorted by code point, not by UTF-16 code unit', () => {
  const input = Buffer.from(checksumInput({ '\u{1F600}': null, '\uFF5E': null }));
  expect(input.indexOf('\uFF5E')).toBeLessThan(input.indexOf('\u{1F600}'));
});

test('values of every type are told apart', () => {
  const values = [null, true, false, 1, '1', 1n << 60n, new Float(1), new Uint8Array([0x31]), ''];
  const inputs = values.map((value) => Buffer.from(checksumInput({ key: value })).toString('hex'));
  expect(new Set(inputs).size).toBe(values.length);
  expect(inputs[6]).toBe(Buffer.from('key\0d\0\0\0\0\0\0\xf0?', 'latin1').toString('hex'));
});
