/** A file system opened by a command that changes it without a mount: as a mount's would be, but with nobody to work on it meanwhile. */
import { DEFAULT_RETRY_POLICY } from '../backends/decorators/retry-policy.ts';
import type { StorageSettings } from '../cli/storage-settings.ts';
import type { CompressionSpec } from '../envelope/compression-spec.ts';
import type { Interaction } from '../util/interaction.ts';
import { openFileSystem, type OpenFileSystem } from './open-file-system.ts';

const METADATA_BACKUP_INTERVAL_MS = 6 * 3_600_000;
/** A file is complete when the next is begun: nothing is gained by waiting longer for further changes. */
const DIRTY_BLOCK_UPLOAD_DELAY_MS = 1_000;

export interface CommandRequest {
  readonly storage: StorageSettings;
  readonly compress: CompressionSpec;
}

/** `program` is the command, as others are told. @throws as openFileSystem */
export function openForCommand({ storage, compress }: CommandRequest, program: string, interaction: Interaction): Promise<OpenFileSystem> {
  return openFileSystem(
    {
      storage,
      compress,
      program,
      takeOver: false,
      nfs: false,
      cacheSizeBytes: undefined,
      maxCacheEntries: undefined,
      keepCache: false,
      dirtyBlockUploadDelayMs: DIRTY_BLOCK_UPLOAD_DELAY_MS,
      metadataBackupIntervalMs: METADATA_BACKUP_INTERVAL_MS,
      fsync: 'local',
      readTimeoutMs: 0,
      storeTimeoutMs: DEFAULT_RETRY_POLICY.giveUpAfterMs,
      fullCache: 'wait',
      atimePolicy: 'noatime',
      directoryAtimePolicy: 'noatime',
    },
    interaction,
  );
}
