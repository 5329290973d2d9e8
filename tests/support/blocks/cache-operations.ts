/** Random operations for the cache's model test. */
import * as fc from 'fast-check';
import type { ModelSetup, Operation } from './cache-model.ts';

const BLOCK_SIZES = [1024, 4096, 8192, 10_240] as const;
const MAX_FILE_BYTES = 80_000;
const MAX_WRITE_BYTES = 24_576;

/** Limits are at least twice what one write needs. */
export const setups: fc.Arbitrary<ModelSetup> = fc.constantFrom(...BLOCK_SIZES).chain((blockSizeBytes) => {
  const writeBlocks = Math.ceil(MAX_WRITE_BYTES / blockSizeBytes) + 1;
  const writeBytes = writeBlocks * Math.ceil(blockSizeBytes / 4096) * 4096 + 2 * 12_288;
  return fc.record({
    blockSizeBytes: fc.constant(blockSizeBytes),
    sizeLimitBytes: fc.constantFrom(2 * writeBytes, 4 * writeBytes, 10_000_000),
    entryLimit: fc.constantFrom(2 * writeBlocks, 4 * writeBlocks, 1000),
  });
});

const file = fc.nat(3);
const seed = fc.nat(1_000_000);
const offset = fc.oneof(
  fc.nat(MAX_FILE_BYTES),
  fc.nat(Math.floor(MAX_FILE_BYTES / 1024)).map((block) => block * 1024),
);
const length = fc.oneof(
  fc.integer({ min: 1, max: 3000 }),
  fc.integer({ min: 1, max: MAX_WRITE_BYTES }),
  fc.constantFrom(1024, 4096, 8192, 10_240, MAX_WRITE_BYTES),
);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('write' as const), file, offset, length, seed }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('write' as const), file, offset: fc.nat(3000), length, seed }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('truncate' as const), file, size: offset }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('punch' as const), file, offset, length }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('clone' as const),
      source: file,
      target: file,
      from: offset,
      to: offset,
      length,
      aligned: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), file }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('read' as const), file }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('flush' as const), file, background: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('sync' as const), file }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('commit', 'durable', 'drop', 'generation', 'breathe') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('failing' as const), puts: fc.boolean(), gets: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), powerCut: fc.boolean(), seed }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const), keep: fc.boolean() }) },
);

export function operations(maxLength: number): fc.Arbitrary<Operation[]> {
  return fc.array(operation, { minLength: 1, maxLength, size: 'max' });
}
