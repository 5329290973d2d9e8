/** s3qladm clear: deletes a file system, whatever state it is in. The superblock goes first: what an interruption leaves is no file system. */
import type { Backend } from '../../backends/backend.ts';
import { connect } from '../../backends/connect.ts';
import type { AdminRequest, AdminInteraction, AdminResult } from '../../cli/run-adm.ts';
import { SUPERBLOCK_KEY } from '../../metadata/object-keys.ts';
import { UserError } from '../../util/errors.ts';
import { Lease } from '../lease.ts';
import { LEASE_KEY } from '../lease-record.ts';
import { LocalDirectory } from '../local-directory.ts';
import { adminProgram } from './hold-for-action.ts';

const BATCH_COUNT = 1000;
const EXIT_NO_FILE_SYSTEM = 18;

/** @throws UserError unless the person types "yes"; exit 18 if there is nothing, 31 if another machine has it mounted, as far as can be told without the key */
export async function clearStore(request: AdminRequest, { ask, progress, signal }: AdminInteraction): Promise<AdminResult> {
  const { storage } = request;
  using local = new LocalDirectory(storage.cachedir, storage.backend.url);
  await using backend = await connect(storage.backend);
  await requireAnything(backend, signal);
  await using lease = await Lease.acquire({
    backend,
    path: local.leasePath,
    program: adminProgram(request),
    mountedElsewhere: ({ mounted }) => Promise.resolve(mounted),
    force: request.takeOver,
    override: '--take-over',
    signal,
  });
  const answer = await ask(`This deletes EVERYTHING at ${backend.url}, and the local copy. Type "yes" to go on:`);
  if (answer.trim() !== 'yes') throw new UserError('Aborted: nothing was deleted.');
  await lease.requireHeld();
  await backend.delete(SUPERBLOCK_KEY, { signal });
  local.clear();
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
    if (key !== LEASE_KEY) batch.push(key);
    if (batch.length === BATCH_COUNT) await flush();
  }
  await flush();
  return { text: `The file system at ${backend.url} has been deleted.\n`, json: { deletedCount } };
}

/** Whatever is left of a file system can be cleared. @throws UserError exit 18 if there is nothing */
async function requireAnything(backend: Backend, signal: AbortSignal): Promise<void> {
  for await (const { key } of backend.list('', { signal })) if (key !== LEASE_KEY) return;
  throw new UserError(`No S3QL file system found at ${backend.url}.`, EXIT_NO_FILE_SYSTEM);
}
