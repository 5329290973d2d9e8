import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DIGEST_BYTES, PieceDigests } from './piece-digests.ts';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 's3ql-pieces-'));
  path = join(directory, 'pieces');
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

const digest = (value: number): Uint8Array => new Uint8Array(DIGEST_BYTES).fill(value);

test('what was uploaded is known, also after loading the file', async () => {
  const pieces = PieceDigests.unknown(4096)
    .uploading([0, 2], 3, 7)
    .uploaded([0, 2], (piece) => digest(piece + 1));
  await pieces.save(path);
  const loaded = await PieceDigests.load(path, 4096);
  expect(loaded.seqNo).toBe(7);
  expect([0, 1, 2, 3].map((piece) => loaded.matches(piece, digest(piece + 1)))).toEqual([true, false, true, false]);
});

test('a piece that is being uploaded is unknown, and so are pieces beyond the end', () => {
  const pieces = PieceDigests.unknown(4096).uploading([], 3, 1).uploaded([0, 1, 2], digest);
  const uploading = pieces.uploading([1], 2, 2);
  expect([0, 1, 2].map((piece) => uploading.matches(piece, digest(piece)))).toEqual([false, false, false].with(0, true));
  expect(uploading.uploading([], 3, 3).matches(2, digest(2))).toBe(false);
});

test('no file, another piece size, and every damage of the file count as unknown', async () => {
  const known = async (): Promise<boolean> => (await PieceDigests.load(path, 4096)).matches(0, digest(5));
  expect(await known()).toBe(false);
  await PieceDigests.unknown(4096)
    .uploading([], 1, 9)
    .uploaded([0], () => digest(5))
    .save(path);
  expect(await known()).toBe(true);
  expect((await PieceDigests.load(path, 8192)).matches(0, digest(5))).toBe(false);
  const content = readFileSync(path);
  for (let length = 0; length < content.length; length++) {
    writeFileSync(path, content.subarray(0, length));
    expect(await known()).toBe(false);
  }
  for (let position = 0; position < content.length; position++) {
    const damaged = Buffer.from(content);
    damaged.writeUInt8(damaged.readUInt8(position) ^ 1, position);
    writeFileSync(path, damaged);
    expect(await known()).toBe(false);
  }
});
