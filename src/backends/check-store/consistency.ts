/** What S3QL needs of every store: that it has what it took, at once, whole, and nothing else. */
import { createHash, randomBytes } from 'node:crypto';
import { writeBasicMapping } from '../../util/basic-mapping.ts';
import { NoSuchObjectError } from '../errors.ts';
import type { ObjectMetadata } from '../object-metadata.ts';
import { expectThat, type Check } from './run-checks.ts';
import { SCRATCH_METADATA, type ScratchObjects } from './scratch-objects.ts';

const ROUNDS = 10;
const LARGE_BYTES = 10 * 1024 * 1024 + 17;
const LOST_DATA = 'Data could be lost or mixed up: do not use this store.';

const text = (payload: Uint8Array): string => Buffer.from(payload).toString();
const digest = (payload: Uint8Array): string => createHash('sha256').update(payload).digest('hex');
const sameMetadata = (a: ObjectMetadata, b: ObjectMetadata): boolean => Buffer.compare(writeBasicMapping(a), writeBasicMapping(b)) === 0;

async function isMissing(run: Promise<unknown>): Promise<boolean> {
  try {
    await run;
    return false;
  } catch (error) {
    if (error instanceof NoSuchObjectError) return true;
    throw error;
  }
}

export const consistencyChecks: readonly Check[] = [
  {
    name: 'content',
    title: 'Objects come back as they were stored, empty ones and large ones, with their metadata',
    consequence: LOST_DATA,
    async run({ backend, newKey }, signal) {
      for (const sizeBytes of [0, 1, 100_000, LARGE_BYTES]) {
        const [key, payload] = [newKey(), randomBytes(sizeBytes)];
        await backend.store(key, SCRATCH_METADATA, [payload], { signal });
        const fetched = await backend.fetch(key, { signal });
        expectThat(
          digest(fetched.payload) === digest(payload),
          `an object of ${sizeBytes} bytes came back with ${fetched.payload.byteLength} others`,
        );
        expectThat(sameMetadata(fetched.metadata, SCRATCH_METADATA), 'the metadata of an object came back changed');
        const stat = await backend.stat(key, { signal });
        expectThat(sameMetadata(stat.metadata, SCRATCH_METADATA), 'the metadata of an object is told in two ways');
      }
    },
  },
  {
    name: 'read-after-write',
    title: 'A new object can be read at once, also if it was asked for before',
    consequence: LOST_DATA,
    async run({ backend, newKey }, signal) {
      for (let round = 0; round < ROUNDS; round += 1) {
        const key = newKey();
        expectThat(await isMissing(backend.stat(key, { signal })), 'an object is there that was never stored');
        await backend.store(key, SCRATCH_METADATA, [Buffer.from(key)], { signal });
        expectThat(text((await backend.fetch(key, { signal })).payload) === key, 'an object came back with the content of another');
      }
    },
  },
  {
    name: 'read-after-overwrite',
    title: 'An object that was replaced is never seen in its old state',
    consequence: 'A mount could begin with old metadata: do not use this store.',
    async run({ backend, newKey }, signal) {
      const key = newKey();
      for (let round = 0; round < ROUNDS; round += 1) {
        await backend.store(key, { ...SCRATCH_METADATA, round }, [Buffer.from(`round ${round}`)], { signal });
        const { payload, metadata } = await backend.fetch(key, { signal });
        expectThat(text(payload) === `round ${round}`, `"round ${round}" was stored, "${text(payload)}" was read`);
        expectThat(metadata['round'] === round, 'the metadata belongs to an older object');
      }
    },
  },
  {
    name: 'list-after-write',
    title: 'A new object is listed at once, and only under prefixes of its name',
    consequence: 'fsck.s3ql could take stored data for lost: do not use this store.',
    async run(scratch, signal) {
      for (let round = 0; round < ROUNDS; round += 1) {
        const key = scratch.newKey();
        await scratch.backend.store(key, SCRATCH_METADATA, [], { signal });
        const listed = await scratch.listed(signal);
        expectThat(listed.has(key), 'an object that was just stored is not listed');
        expectThat(
          [...listed].every((name) => name.startsWith(scratch.prefix)),
          'a listing shows what was not asked for',
        );
      }
    },
  },
  {
    name: 'delete',
    title: 'A deleted object is gone at once, and deleting it again is no error',
    consequence: 'Objects could come back to life: do not use this store.',
    async run(scratch, signal) {
      const { backend } = scratch;
      for (let round = 0; round < ROUNDS; round += 1) {
        const key = scratch.newKey();
        await backend.store(key, SCRATCH_METADATA, [Buffer.from('x')], { signal });
        await backend.delete(key, { signal });
        expectThat(await isMissing(backend.fetch(key, { signal })), 'an object that was just deleted can be fetched');
        expectThat(await isMissing(backend.stat(key, { signal })), 'an object that was just deleted is still there');
        expectThat(!(await scratch.listed(signal)).has(key), 'an object that was just deleted is listed');
        await backend.delete(key, { signal });
      }
    },
  },
  {
    name: 'whole-objects',
    title: 'While an object is replaced, readers see the old one or the new one, whole',
    consequence: 'A mount that begins at a bad moment could fail.',
    run: readWhileReplacing,
  },
];

async function readWhileReplacing({ backend, newKey }: ScratchObjects, signal: AbortSignal): Promise<void> {
  const key = newKey();
  const store = (round: number): Promise<unknown> =>
    backend.store(key, { ...SCRATCH_METADATA, round }, [Buffer.alloc(50_000 + round, round)], { signal });
  await store(0);
  const state = { writing: true };
  const writer = (async () => {
    for (let round = 1; round <= ROUNDS; round += 1) await store(round);
  })().finally(() => (state.writing = false));
  try {
    while (state.writing) {
      const { payload, metadata } = await backend.fetch(key, { signal });
      const round = metadata['round'] as number;
      expectThat(
        payload.byteLength === 50_000 + round && payload.every((byte) => byte === round),
        'a reader saw a mixture of two versions',
      );
    }
  } finally {
    await writer;
  }
}
