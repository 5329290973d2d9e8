/** s3qladm shrink-db: rewrites the metadata database without what is free in it, and stores it. */
import { compact } from '../../check/run-checks.ts';
import { formatBytes } from '../../cli/format.ts';
import type { AdminRequest, AdminInteraction, AdminResult } from '../../cli/run-adm.ts';
import { nextSeqNo } from '../../metadata/generation-upload.ts';
import { storeDatabase } from '../store-database.ts';
import { openUnmounted } from '../unmounted-file-system.ts';

/** @throws UserError exit 30, 31, 40 */
export async function shrinkDatabase({ storage, compress }: AdminRequest, interaction: AdminInteraction): Promise<AdminResult> {
  await using fileSystem = await openUnmounted(storage, compress, interaction);
  const { local, objects, keeper } = fileSystem;
  const superblock = {
    ...fileSystem.superblock,
    seqNo: await nextSeqNo(local, fileSystem.superblock),
    isMounted: true,
    lastModifiedSeconds: Date.now() / 1000,
  };
  await keeper.publish(superblock);
  compact(local.databasePath);
  const { progress, signal } = interaction;
  const connectionLimit = storage.backend.maxConnections;
  const stored = await storeDatabase({ local, objects, keeper, compression: compress, connectionLimit, superblock, progress, signal });
  const [before, after] = [fileSystem.superblock.databaseSizeBytes, stored.databaseSizeBytes];
  return {
    text: `The metadata database has ${formatBytes(after)} now; it had ${formatBytes(before)}.\n`,
    json: { sizeBeforeBytes: before, sizeAfterBytes: after },
  };
}
