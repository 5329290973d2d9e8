import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createEnvelope, masterKeyEnvelope, plainEnvelope } from './envelope.ts';
import { worthwhileCompression } from './worthwhile-compression.ts';

const WANTED = { algorithm: 'zlib', level: 6 } as const;
const MIB = 1024 * 1024;

test('random bytes are not compressed, text is', () => {
  expect(worthwhileCompression(randomBytes(MIB), WANTED)).toEqual({ algorithm: 'none', level: 0 });
  expect(worthwhileCompression(Buffer.alloc(MIB, 'text that repeats itself\n'), WANTED)).toBe(WANTED);
});

test('an eighth that compresses is reason enough, wherever it is', () => {
  for (let at = 0; at + MIB / 8 <= MIB; at += MIB / 8) {
    const bytes = randomBytes(MIB).fill('text that repeats itself\n', at, at + MIB / 8);
    expect(worthwhileCompression(bytes, WANTED)).toBe(WANTED);
  }
});

test('small blocks are compressed as asked for, and nothing is if nothing was asked for', () => {
  expect(worthwhileCompression(randomBytes(100_000), WANTED)).toBe(WANTED);
  const none = { algorithm: 'none', level: 0 } as const;
  expect(worthwhileCompression(Buffer.alloc(MIB), none)).toBe(none);
});

test.each([
  ['encrypted', masterKeyEnvelope(randomBytes(32))],
  ['plain', plainEnvelope()],
])('an %s object says that it is not compressed, and opens', (_kind, spec) => {
  const envelope = createEnvelope(spec);
  const bytes = new Uint8Array(randomBytes(MIB));
  const sealed = envelope.seal('key', bytes, { algorithm: 'lzma', level: 6 });
  expect(sealed.metadata['compression']).toBe('None');
  expect(Buffer.compare(envelope.open('key', sealed.metadata, new Uint8Array(sealed.payload)), bytes)).toBe(0);
});
