/** Superblocks in the store: the current one, and one for each generation of the metadata that is kept. */
import { CorruptedObjectError, NoSuchObjectError } from '../backends/errors.ts';
import type { ObjectKey, RequestOptions } from '../backends/backend.ts';
import type { CompressionSpec } from '../envelope/compression-spec.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { UserError } from '../util/errors.ts';
import { forEachLimit } from '../util/for-each-limit.ts';
import { type LocalPaths, writeLocalSuperblock } from './local-state.ts';
import { GENERATION_PREFIX, generationKey, parseGenerationKey, SUPERBLOCK_KEY } from './object-keys.ts';
import { DamagedSuperblockError, parseSuperblock, type Superblock, writeSuperblock } from './superblock.ts';

/** Requests at a time, unless the caller says otherwise. */
export const DEFAULT_CONNECTION_LIMIT: number = 10;

/** A label may be long; more than this is no superblock. */
const MAX_SUPERBLOCK_BYTES = 1024 * 1024;

const EXIT_NO_FILE_SYSTEM = 18;

/** A generation that the store knows of. */
export interface Generation {
  readonly seqNo: number;
  /** Undefined if its superblock cannot be read, for the reason in `problem`. */
  readonly superblock: Superblock | undefined;
  readonly problem: string | undefined;
}

/** The current superblock. @throws UserError with exit code 18 if there is no file system, 32, 33, or 1 if it is damaged */
export async function fetchSuperblock(store: ObjectStore, options?: RequestOptions): Promise<Superblock> {
  try {
    return await fetchAt(store, SUPERBLOCK_KEY, options);
  } catch (error) {
    if (error instanceof NoSuchObjectError) {
      throw new UserError(`No S3QL file system found at ${store.url}.`, EXIT_NO_FILE_SYSTEM, { cause: error });
    }
    if (!(error instanceof DamagedSuperblockError)) throw error;
    throw new UserError(
      `${error.message} Run "s3qladm restore-metadata" to go back to the newest generation of the metadata that is whole, then fsck.s3ql.`,
      error.exitCode,
      { cause: error },
    );
  }
}

/**
 * Makes the superblock current: on this machine first, then in the store as that of its generation, then as the current one. What it
 * refers to must be durable in the store already.
 */
export async function publishSuperblock(
  store: ObjectStore,
  paths: LocalPaths,
  superblock: Superblock,
  options: RequestOptions & { readonly compression: CompressionSpec },
): Promise<void> {
  await writeLocalSuperblock(paths, superblock);
  await store.put(generationKey(superblock.seqNo), writeSuperblock(superblock), options);
  await store.put(SUPERBLOCK_KEY, writeSuperblock(superblock), options);
}

/** All generations in the store, newest first. */
export async function listGenerations(
  store: ObjectStore,
  options: RequestOptions & { readonly connectionLimit?: number } = {},
): Promise<Generation[]> {
  const request = options.signal === undefined ? {} : { signal: options.signal };
  const numbers: number[] = [];
  for await (const { key } of store.list(GENERATION_PREFIX, request)) {
    const seqNo = parseGenerationKey(key);
    if (seqNo !== undefined) numbers.push(seqNo);
  }
  const generations: Generation[] = [];
  await forEachLimit(
    numbers,
    options.connectionLimit ?? DEFAULT_CONNECTION_LIMIT,
    async (seqNo) => {
      const generation = await fetchGeneration(store, seqNo, request);
      if (generation !== undefined) generations.push(generation);
    },
    options.signal,
  );
  return generations.toSorted((a, b) => b.seqNo - a.seqNo);
}

/** Undefined if it is gone by now. */
async function fetchGeneration(store: ObjectStore, seqNo: number, options: RequestOptions): Promise<Generation | undefined> {
  try {
    const superblock = await fetchAt(store, generationKey(seqNo), options);
    if (superblock.seqNo === seqNo) return { seqNo, superblock, problem: undefined };
    return { seqNo, superblock: undefined, problem: `it is the superblock of generation ${superblock.seqNo}` };
  } catch (error) {
    if (error instanceof NoSuchObjectError) return undefined;
    if (error instanceof UserError) return { seqNo, superblock: undefined, problem: error.message };
    throw error;
  }
}

async function fetchAt(store: ObjectStore, key: ObjectKey, options?: RequestOptions): Promise<Superblock> {
  try {
    return parseSuperblock(await store.get(key, { ...options, maxSizeBytes: MAX_SUPERBLOCK_BYTES }), key);
  } catch (error) {
    if (!(error instanceof CorruptedObjectError)) throw error;
    throw new DamagedSuperblockError(key, error.message, { cause: error });
  }
}
