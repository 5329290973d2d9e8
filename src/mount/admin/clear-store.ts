/** s3qladm clear: deletes a file system, whatever state it is in. The superblock goes first: what an interruption leaves is no file system. */
import { connect } from '../../backends/connect.ts';
import type { AdminRequest, AdminInteraction, AdminResult } from '../../cli/run-adm.ts';
import { SUPERBLOCK_KEY } from '../../metadata/object-keys.ts';
import { UserError } from '../../util/errors.ts';
import { LocalDirectory } from '../local-directory.ts';

const BATCH_COUNT = 1000;

/** @throws UserError unless the person types "yes" */
export async function clearStore({ storage }: AdminRequest, { ask, progress, signal }: AdminInteraction): Promise<AdminResult> {
  using local = new LocalDirectory(storage.cachedir, storage.backend.url);
  await using backend = await connect(storage.backend);
  const answer = await ask(`This deletes EVERYTHING at ${backend.url}, and the local copy. Type "yes" to go on:`);
  if (answer.trim() !== 'yes') throw new UserError('Aborted: nothing was deleted.');
  local.clear();
  await backend.delete(SUPERBLOCK_KEY, { signal });
  using step = progress.step('Deleting objects', 'objects');
  let deletedCount = 0;
  let batch: string[] = [];
  const flush = async (): Promise<void> => {
    await backend.deleteMany(batch, { signal });
    deletedCount += batch.length;
    step.update({ done: deletedCount });
    batch = [];
  };
  for await (const { key } of backend.list('', { signal })) {
    batch.push(key);
    if (batch.length === BATCH_COUNT) await flush();
  }
  await flush();
  return { text: `The file system at ${backend.url} has been deleted.\n`, json: { deletedCount } };
}
