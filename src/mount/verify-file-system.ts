/** s3ql_verify: whether the store has the objects of a file system that is not mounted. Changes nothing but its two lists. */
import { appendFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { verifyObjects, type VerifyResult } from '../check/verify-objects.ts';
import type { VerifyRequest } from '../cli/run-verify.ts';
import { UserError } from '../util/errors.ts';
import type { Interaction } from '../util/interaction.ts';
import { logger } from '../util/log.ts';
import { defaultThreadCount } from './thread-count.ts';
import { openUnmounted } from './unmounted-file-system.ts';

const log = logger('verify');

/** The lists are written as objects are found, so that an interrupted run leaves what it knows; empty ones are removed in the end. */
export async function verifyFileSystem(request: VerifyRequest, interaction: Interaction): Promise<VerifyResult> {
  const { storage, compress, missingFile, corruptedFile } = request;
  for (const path of [missingFile, corruptedFile]) requireEmpty(path);
  await using fileSystem = await openUnmounted(storage, compress, interaction);
  const { progress, signal } = interaction;
  for (const path of [missingFile, corruptedFile]) createList(path);
  const result = await verifyObjects({
    databasePath: fileSystem.local.databasePath,
    objects: fileSystem.objects,
    blockSizeBytes: fileSystem.superblock.dataBlockSizeBytes,
    data: request.data,
    startWith: request.startWith,
    sample: request.sample,
    random: Math.random,
    concurrency: storage.backend.maxConnections + (request.data ? (storage.maxThreads ?? defaultThreadCount(compress)) : 0),
    onMissing: (key) => {
      log.warn('Object %s is missing in the store', key);
      appendFileSync(missingFile, `${key}\n`);
    },
    onCorrupted: (key, problem) => {
      log.warn('Object %s is damaged: %s', key, problem);
      appendFileSync(corruptedFile, `${key}\n`);
    },
    progress,
    signal,
  });
  if (result.missingCount === 0) rmSync(missingFile);
  if (result.corruptedCount === 0) rmSync(corruptedFile);
  return result;
}

/** @throws UserError if it holds anything */
function requireEmpty(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > 0) throw new UserError(`${path} exists and is not empty: remove it, or name another file.`);
}

function createList(path: string): void {
  try {
    writeFileSync(path, '');
  } catch (error) {
    throw new UserError(`Cannot write ${path}: ${(error as Error).message}`, 1, { cause: error });
  }
}
