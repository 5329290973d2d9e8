/** Files of the largest size, and of very many blocks. For file systems without a limit on a file's size but the kernel's. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LONG } from '../support/options.ts';
import { newSeed, Random } from '../support/random.ts';
import { succeed } from '../support/success.ts';
import { SyscallAgent } from '../support/syscall-agent.ts';
import { O_CREAT, O_RDONLY, O_RDWR, SEEK_DATA, SEEK_HOLE } from '../support/syscalls/constants.ts';
import type { Call } from '../support/syscalls/system-calls.ts';
import type { Target } from '../support/target.ts';

const LARGEST_SIZE = (1n << 63n) - 1n;
/** mkfs.s3ql is told so by the tests. */
const BLOCK_BYTES = 131_072;
const BLOCK_COUNT = 1_000_000;
const WRITES = LONG ? 20_000 : 400;
const CALLS_PER_BATCH = 200;
const MARK_BYTES = 8;

/** What is written at a place: its own offset. */
function mark(offset: number): Buffer {
  const bytes = Buffer.alloc(MARK_BYTES);
  bytes.writeBigUInt64LE(BigInt(offset));
  return bytes;
}

export function hugeFileSuite(target: Target): void {
  describe(`huge files on ${target.name}`, () => {
    let agent: SyscallAgent;

    beforeAll(() => {
      agent = new SyscallAgent();
    });
    afterAll(() => agent.kill());

    test('a file of 2^63-1 bytes is made, measured, written at its end and deleted', async () => {
      const outcomes = await agent.run([
        ['chdir', target.path],
        ['open', 'huge', O_RDWR | O_CREAT, 0o600, 'f'],
        ['ftruncate', 'f', LARGEST_SIZE],
        ['fstat', 'f'],
        ['pwrite', 'f', 'x', LARGEST_SIZE - 1n],
        ['lseek', 'f', 0, SEEK_DATA],
        ['pread', 'f', 3, LARGEST_SIZE - 3n],
        ['fsync', 'f'],
        ['close', 'f'],
        ['unlink', 'huge'],
        ['access', 'huge', 0],
      ]);
      expect(outcomes[3].data).toMatchObject({ size: LARGEST_SIZE, blocks: 0n });
      expect(Number(outcomes[5].result)).toBeGreaterThan(0);
      expect(Buffer.from(outcomes[6].data as Uint8Array).toString()).toBe('\0\0x');
      expect(outcomes.map(({ error }) => error).filter((error) => error !== undefined)).toEqual(['ENOENT']);
    });

    const seed = newSeed();
    test(`S3QL_TEST_SEED=${seed}: a file of ${BLOCK_COUNT} blocks, written at random places, has what was written and nothing else`, async () => {
      const random = new Random(seed);
      const blocks = [...new Set(Array.from({ length: WRITES }, () => random.below(BLOCK_COUNT)))];
      const places = blocks.map((block) => block * BLOCK_BYTES + random.below(BLOCK_BYTES - MARK_BYTES));
      const path = join(target.path, 'blocks');
      await succeed(agent, [
        ['open', path, O_RDWR | O_CREAT, 0o600, 'f'],
        ['ftruncate', 'f', BLOCK_COUNT * BLOCK_BYTES],
      ]);
      await inBatches(places, (offset) => ['pwrite', 'f', mark(offset), offset]);
      await succeed(agent, [['fsync', 'f']]);
      await agent.run([]);
      await target.remount?.();

      const [, attributes] = await succeed(agent, [
        ['open', path, O_RDONLY, 0, 'f'],
        ['fstat', 'f'],
      ]);
      expect(attributes.size).toBe(BigInt(BLOCK_COUNT) * BigInt(BLOCK_BYTES));
      expect(Number(attributes.blocks) * 512).toBeLessThanOrEqual(blocks.length * BLOCK_BYTES);
      expect(await dataBlocks()).toEqual(blocks.sort((a, b) => a - b));
      const read = await inBatches(places, (offset) => ['pread', 'f', MARK_BYTES, offset]);
      expect(read.filter((bytes, index) => !mark(places[index] as number).equals(bytes as Uint8Array))).toEqual([]);

      await agent.run([]);
      const half = (BLOCK_COUNT / 2) * BLOCK_BYTES;
      await succeed(agent, [
        ['truncate', path, half],
        ['open', path, O_RDONLY, 0, 'f'],
      ]);
      expect(await dataBlocks()).toEqual(blocks.filter((block) => block < BLOCK_COUNT / 2));
      await agent.run([['unlink', path]]);
    });

    async function inBatches(places: readonly number[], call: (offset: number) => Call): Promise<unknown[]> {
      const data: unknown[] = [];
      for (let at = 0; at < places.length; at += CALLS_PER_BATCH)
        data.push(...(await succeed(agent, places.slice(at, at + CALLS_PER_BATCH).map(call))));
      return data;
    }

    /** The blocks with data of the open file, found by SEEK_DATA and SEEK_HOLE. */
    async function dataBlocks(): Promise<number[]> {
      const found: number[] = [];
      for (let offset = 0; ;) {
        const [data] = await agent.runAndKeep([['lseek', 'f', offset, SEEK_DATA]]);
        if (data.error !== undefined) return found;
        const [hole] = await agent.runAndKeep([['lseek', 'f', data.result, SEEK_HOLE]]);
        offset = Number(hole.result);
        for (let block = Math.floor(Number(data.result) / BLOCK_BYTES); block * BLOCK_BYTES < offset; block += 1) found.push(block);
      }
    }
  });
}
