import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { deflateSync } from 'node:zlib';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { CompressionAlgorithm } from '../compression-spec.ts';
import { DecompressionError } from './compressor.ts';
import type { DecompressionLimits } from './compressor.ts';
import { compressors } from './compressors.ts';

const packing = ['zlib', 'bzip2', 'lzma'] as const satisfies readonly CompressionAlgorithm[];
const text = Buffer.from('to be or not to be, '.repeat(5000));
const random = randomBytes(100_000);
const unlimited = { maxSizeBytes: 1_000_000 };

/** What decompressing says: the reason of a refusal, or `unpacked`. */
function outcome(algorithm: CompressionAlgorithm, packed: Uint8Array<ArrayBuffer>, maxSizeBytes = 1_000_000): string {
  try {
    compressors[algorithm].decompress(packed, { maxSizeBytes });
    return 'unpacked';
  } catch (error) {
    if (error instanceof DecompressionError) return error.message;
    throw error;
  }
}

describe.each(packing)('%s', (algorithm) => {
  const compress = (plain: Uint8Array<ArrayBuffer>, level: number): Uint8Array<ArrayBuffer> =>
    compressors[algorithm].compress(plain, level);
  const decompress = (packed: Uint8Array<ArrayBuffer>, limits: DecompressionLimits): Uint8Array<ArrayBuffer> =>
    compressors[algorithm].decompress(packed, limits);

  test('memory that the library works on is not collected, even if the collector comes whenever memory is asked for', () => {
    const plain = Buffer.alloc(100, 7);
    // Until the functions are compiled: only then does the collector know that a variable is not used any more.
    for (let run = 0; run < 1500; run += 1) decompress(compress(plain, 1), unlimited);
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const allocate = Buffer.allocUnsafeSlow.bind(Buffer);
    vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation((size) => {
      collect();
      for (let count = 0; count < 20; count += 1) Buffer.alloc(256, 0xff);
      return allocate(size);
    });
    onTestFinished(() => void vi.restoreAllMocks());
    for (let run = 0; run < 8; run += 1) expect(decompress(compress(plain, 1), unlimited).every((byte) => byte === 7)).toBe(true);
  });

  test.for([['nothing', Buffer.alloc(0)] as const, ['text', text] as const, ['random bytes', random] as const])(
    '%s comes back at every level',
    ([, plain]) => {
      for (const level of [1, 6, 9]) {
        expect(Buffer.compare(decompress(compress(plain, level), unlimited), plain)).toBe(0);
      }
    },
  );

  test('a size hint changes nothing, right or wrong', () => {
    const packed = compress(text, 6);
    for (const sizeHintBytes of [0, 1, text.byteLength - 1, text.byteLength, text.byteLength + 1, 2 ** 50]) {
      expect(Buffer.compare(decompress(packed, { ...unlimited, sizeHintBytes }), text)).toBe(0);
    }
  });

  test('the limit on the unpacked size is exact', () => {
    const packed = compress(text, 6);
    expect(decompress(packed, { maxSizeBytes: text.byteLength })).toHaveLength(text.byteLength);
    expect(outcome(algorithm, packed, text.byteLength - 1)).toBe(`it unpacks to more than ${text.byteLength - 1} bytes`);
    expect(outcome(algorithm, packed, 0)).toBe('it unpacks to more than 0 bytes');
  });

  test('a stream that is cut off anywhere, followed by something or doubled is refused', () => {
    const packed = compress(Buffer.from('short'), 6);
    const cut = Array.from({ length: packed.byteLength }, (_, length) => outcome(algorithm, packed.slice(0, length)));
    expect(cut).not.toContain('unpacked');
    expect(outcome(algorithm, Buffer.concat([packed, Buffer.alloc(1)]))).toMatch(/follows/);
    expect(outcome(algorithm, Buffer.concat([packed, packed]))).toMatch(/follows/);
  });

  test('a flipped bit in the compressed data is noticed or harmless, never wrong bytes', () => {
    const packed = compress(text, 6);
    const outcomes = Array.from({ length: Math.min(packed.byteLength, 200) }, (_, at) => {
      const damaged = Buffer.from(packed);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      try {
        return Buffer.compare(decompress(damaged, unlimited), text);
      } catch (error) {
        return error instanceof DecompressionError ? 0 : error;
      }
    });
    expect(new Set(outcomes)).toEqual(new Set([0]));
  });

  test('what is something else is refused', () => {
    expect(outcome(algorithm, Buffer.from('this is no compressed data at all, not in any way'))).not.toBe('unpacked');
    expect(outcome(algorithm, Buffer.alloc(1000))).not.toBe('unpacked');
  });
});

test('a bomb is refused before it fills the memory', () => {
  const zeros = Buffer.alloc(20_000_000);
  expect(outcome('zlib', deflateSync(zeros))).toBe('it unpacks to more than 1000000 bytes');
  expect(outcome('bzip2', compressors.bzip2.compress(zeros, 1))).toBe('it unpacks to more than 1000000 bytes');
});

test('an xz stream that wants a huge dictionary is refused', () => {
  const packed = execFileSync('xz', ['--format=xz', '--lzma2=preset=0,dict=1536MiB', '-c'], { input: 'x', maxBuffer: 1e6 });
  expect(() => compressors.lzma.decompress(new Uint8Array(packed), unlimited)).toThrow(/more memory/);
});

test('lzma writes an xz container with CRC64 and honours its level', () => {
  const header = Buffer.from(compressors.lzma.compress(text, 6).subarray(0, 8));
  expect(header.toString('hex')).toBe('fd377a585a000004');
  const mixed = Buffer.concat([random.subarray(0, 30_000), text, random.subarray(0, 60_000), text]);
  const listing = Array.from({ length: 10 }, (_, level) => compressors.lzma.compress(mixed, level).byteLength);
  expect(new Set(listing).size).toBeGreaterThan(1);
});

test('the xz and bzip2 programs read what we write', () => {
  expect(execFileSync('xz', ['-dc'], { input: compressors.lzma.compress(text, 9) }).equals(text)).toBe(true);
  expect(execFileSync('bzip2', ['-dc'], { input: compressors.bzip2.compress(text, 9) }).equals(text)).toBe(true);
});

test('none keeps to the limit too', () => {
  expect(compressors.none.decompress(text, unlimited)).toBe(text);
  expect(outcome('none', text, text.byteLength - 1)).toMatch(/unpacks to more/);
});
