/** Whether a store can do what it says it can. */
import { randomBytes } from 'node:crypto';
import type { StoreOptions } from '../backend.ts';
import { PreconditionFailedError } from '../errors.ts';
import { expectThat, type Check } from './run-checks.ts';
import { SCRATCH_METADATA, type ScratchObjects } from './scratch-objects.ts';

const RIVALS = 10;
const RANGE_OBJECT_BYTES = 300_000;

const ONE_WRITER =
  'Two machines that mount the file system within the same moments may not notice each other at once (afterwards they do): see to it that only one does.';

export const capabilityChecks: readonly Check[] = [
  {
    name: 'conditional-create',
    title: 'Of several who create one object at the same moment exactly one succeeds',
    consequence: ONE_WRITER,
    offered: ({ conditionalCreate }) => conditionalCreate,
    async run(scratch, signal) {
      const key = scratch.newKey();
      await expectOneWinner(scratch, key, { ifAbsent: true, signal });
      expectThat(!(await attempt(scratch, key, { ifAbsent: true, signal })), 'an object that was there has been replaced');
    },
  },
  {
    name: 'conditional-replace',
    title: 'Of several who replace one version of an object at the same moment exactly one succeeds',
    consequence: ONE_WRITER,
    offered: ({ conditionalReplace }) => conditionalReplace,
    async run(scratch, signal) {
      const key = scratch.newKey();
      const { version } = await scratch.backend.store(key, SCRATCH_METADATA, [], { signal });
      expectThat(version !== undefined, 'the store gives no version');
      await expectOneWinner(scratch, key, { ifVersion: version ?? '', signal });
    },
  },
  {
    name: 'range',
    title: 'A part of an object can be read without the rest',
    consequence: 'Whole objects are transferred where a part would do.',
    offered: ({ range }) => range,
    async run({ backend, newKey }, signal) {
      const [key, payload] = [newKey(), randomBytes(RANGE_OBJECT_BYTES)];
      await backend.store(key, SCRATCH_METADATA, [payload], { signal });
      for (const [offset, lengthBytes] of [
        [0, 1],
        [123_456, 7890],
        [RANGE_OBJECT_BYTES - 10, 100],
        [RANGE_OBJECT_BYTES, 1],
      ] as const) {
        const part = await backend.fetch(key, { range: { offset, lengthBytes }, signal });
        const expected = payload.subarray(offset, offset + lengthBytes);
        expectThat(Buffer.compare(part.payload, expected) === 0, `bytes ${offset} to ${offset + lengthBytes - 1} came back wrong`);
      }
    },
  },
  {
    name: 'batch-delete',
    title: 'Many objects can be deleted with one request',
    consequence: 'Deleting takes a request for each object.',
    offered: ({ batchDelete }) => batchDelete > 1,
    async run(scratch, signal) {
      const keys = scratch.newKeys(RIVALS);
      for (const key of keys.slice(1)) await scratch.backend.store(key, SCRATCH_METADATA, [], { signal });
      // The first is not there, which is no error.
      await scratch.backend.deleteMany(keys, { signal });
      const listed = await scratch.listed(signal);
      expectThat(!keys.some((key) => listed.has(key)), 'objects that were deleted together are listed');
    },
  },
  {
    name: 'server-copy',
    title: 'An object can be copied without being transferred',
    consequence: 'Copies made by the store are not missed: S3QL copies files in its own tables.',
    offered: ({ serverCopy }) => serverCopy,
    async run({ backend, newKey }, signal) {
      const [source, target] = [newKey(), newKey()];
      await backend.store(source, { ...SCRATCH_METADATA, copied: 1 }, [Buffer.from('content')], { signal });
      await backend.copy(source, target, { signal });
      const { payload, metadata } = await backend.fetch(target, { signal });
      expectThat(Buffer.from(payload).toString() === 'content' && metadata['copied'] === 1, 'the copy is not like its source');
    },
  },
];

async function expectOneWinner(scratch: ScratchObjects, key: string, options: StoreOptions): Promise<void> {
  const outcomes = await Promise.all(Array.from({ length: RIVALS }, () => attempt(scratch, key, options)));
  const winners = outcomes.filter(Boolean).length;
  expectThat(winners === 1, `${winners} of ${RIVALS} succeeded`);
}

/** @returns whether the condition held. Each payload is another one: what a retry finds stored shows who stored it */
async function attempt({ backend }: ScratchObjects, key: string, options: StoreOptions): Promise<boolean> {
  try {
    await backend.store(key, SCRATCH_METADATA, [randomBytes(16)], options);
    return true;
  } catch (error) {
    if (error instanceof PreconditionFailedError) return false;
    throw error;
  }
}
