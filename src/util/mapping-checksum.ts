/**
 * The deterministic form of a basic mapping that checksums and signatures are computed over (S3QL format 2.6): independent of the order of
 * entries and of how the mapping is written down.
 */
import type { BasicMapping, BasicValue } from './basic-mapping.ts';
import { Float } from './python-float.ts';

const NUL = Buffer.of(0);

/**
 * The bytes to hash: entries sorted by code point of the key, each key followed by its typed value. The entry `signature` is left out: it is
 * what is computed from them.
 */
export function checksumInput(mapping: BasicMapping): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(mapping)
    .filter(([key]) => key !== 'signature')
    .map(([key, value]) => [Buffer.from(key, 'utf8'), value] as const)
    .sort(([a], [b]) => Buffer.compare(a, b));
  return new Uint8Array(Buffer.concat(entries.flatMap(([key, value]) => [key, ...valueBytes(value)])));
}

function valueBytes(value: BasicValue): Uint8Array[] {
  if (value === null) return [tag('n')];
  switch (typeof value) {
    case 'string':
      return [tag('s'), Buffer.from(value, 'utf8'), NUL];
    case 'boolean':
      return [tag(value ? 't' : 'f')];
    case 'number':
    case 'bigint':
      return [tag('i'), Buffer.from(String(value), 'latin1'), NUL];
    default:
  }
  if (value instanceof Float) {
    const double = Buffer.alloc(8);
    double.writeDoubleLE(value.value);
    return [tag('d'), double];
  }
  const length = Buffer.alloc(4);
  length.writeUInt32LE(value.byteLength);
  return [tag('b'), length, value];
}

function tag(type: string): Uint8Array {
  return Buffer.from(`\0${type}`, 'latin1');
}
