/** `s3ql remove-objects`: takes data objects out of the store. Never what a file system cannot be without: superblocks, keys, metadata. */
import { readFile } from 'node:fs/promises';
import { connect } from '../backends/connect.ts';
import { CorruptedObjectError, NoSuchObjectError } from '../backends/errors.ts';
import type { RemovedObjects, RemoveObjectsInteraction, RemoveObjectsRequest } from '../cli/run-remove-objects.ts';
import { UserError } from '../util/errors.ts';
import { forEachLimit } from '../util/for-each-limit.ts';
import { LocalDirectory } from './local-directory.ts';

const BATCH_COUNT = 1000;
const DATA_OBJECT = /^s3ql_data_\d+$/;

/** @throws UserError for a list that cannot be read or names anything else; 40 if the file system is mounted here; BackendError subclasses */
export async function removeObjects(
  { storage, file, dryRun, batch }: RemoveObjectsRequest,
  { progress, signal, ask }: RemoveObjectsInteraction,
): Promise<RemovedObjects> {
  const keys = await readKeys(file);
  using _local = new LocalDirectory(storage.cachedir, storage.backend.url);
  await using backend = await connect(storage.backend);
  const there = new Set<string>();
  {
    using step = progress.step('Looking for the objects', 'objects');
    let done = 0;
    await forEachLimit(
      keys,
      storage.backend.maxConnections,
      async (key) => {
        if (await exists(key)) there.add(key);
        done += 1;
        step.update({ done, total: keys.length });
      },
      signal,
    );
  }
  const found = keys.filter((key) => there.has(key));
  const result = { found, missing: keys.filter((key) => !there.has(key)) };
  if (dryRun || found.length === 0) return result;
  if (!batch) {
    const answer = await ask(`This removes ${found.length} objects from ${backend.url} for good. Type "yes" to go on:`);
    if (answer.trim() !== 'yes') throw new UserError('Aborted: nothing was removed.');
  }
  using step = progress.step('Removing objects', 'objects');
  for (let at = 0; at < found.length; at += BATCH_COUNT) {
    await backend.deleteMany(found.slice(at, at + BATCH_COUNT), { signal });
    step.update({ done: Math.min(at + BATCH_COUNT, found.length), total: found.length });
  }
  return result;

  async function exists(key: string): Promise<boolean> {
    return backend.stat(key, { signal }).then(
      () => true,
      (error: unknown) => {
        if (error instanceof NoSuchObjectError) return false;
        // Whatever it is that cannot be read: it is there, and can be removed.
        if (error instanceof CorruptedObjectError) return true;
        throw error;
      },
    );
  }
}

/** Each once. */
async function readKeys(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'ENOENT' ? 'does not exist' : `cannot be read: ${error.message}`;
    throw new UserError(`${file} ${reason}`, 1, { cause: error });
  });
  const lines = text.split('\n').map((line) => line.trim());
  const wrong = lines.findIndex((line) => line !== '' && !DATA_OBJECT.test(line));
  if (wrong >= 0) throw new UserError(`${file}: line ${wrong + 1} is not the name of a data object: nothing was removed`);
  return [...new Set(lines.filter((line) => line !== ''))];
}
