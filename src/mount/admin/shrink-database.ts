/** s3qladm shrink-db: rewrites the metadata database without what is free in it, and stores it. */
import { compact } from '../../check/run-checks.ts';
import { formatBytes } from '../../cli/format.ts';
import type { AdminRequest, AdminInteraction, AdminResult } from '../../cli/run-adm.ts';
import { nextSeqNo } from '../../metadata/generation-upload.ts';
import { beginWriting } from '../begin-writing.ts';
import { recoverLastUse } from '../recover-last-use.ts';
import { adminProgram } from './hold-for-action.ts';
import { storeDatabase } from '../store-database.ts';
import { holdUnmounted } from '../unmounted-file-system.ts';

/** What a crash left on this machine, of this command too, is recovered first. @throws UserError exit 30, 31, 40 */
export async function shrinkDatabase(request: AdminRequest, interaction: AdminInteraction): Promise<AdminResult> {
  const { storage, compress } = request;
  const asked = rememberingSecret(interaction);
  await recoverLastUse(request, adminProgram(request), asked);
  await using fileSystem = await holdUnmounted(storage, compress, asked, adminProgram(request));
  const { local, keeper, lease } = fileSystem;
  const superblock = {
    ...fileSystem.superblock,
    seqNo: await nextSeqNo(local, fileSystem.superblock),
    isMounted: true,
    lastModifiedSeconds: Date.now() / 1000,
  };
  const { progress, signal } = interaction;
  const { guard, objects } = await beginWriting({ lease, keeper, objects: fileSystem.objects, superblock, signal });
  using _guard = guard;
  guard.start();
  compact(local.databasePath);
  const connectionLimit = storage.backend.maxConnections;
  const stored = await storeDatabase({
    local,
    objects,
    keeper,
    compression: compress,
    connectionLimit,
    superblock,
    requireOwned: () => guard.check(),
    progress,
    signal,
  });
  const [before, after] = [fileSystem.superblock.databaseSizeBytes, stored.databaseSizeBytes];
  return {
    text: `The metadata database has ${formatBytes(after)} now; it had ${formatBytes(before)}.\n`,
    json: { sizeBeforeBytes: before, sizeAfterBytes: after },
  };
}

/** The passphrase is asked for once, however often the store is opened. */
function rememberingSecret(interaction: AdminInteraction): AdminInteraction {
  let answer: Promise<string> | undefined;
  return { ...interaction, askSecret: (question) => (answer ??= interaction.askSecret(question)) };
}
