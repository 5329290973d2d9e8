/** What a running mount answers by its socket: what extended attributes can't carry. */
import type { MountRequestName } from '../cli/mount-events.ts';
import type { MountRequest } from '../cli/run-mount.ts';
import { exactNumbers } from '../util/exact-number.ts';
import type { OpenFileSystem } from './open-file-system.ts';

/** @throws Error for what failed, or is unknown */
export async function answerTool(name: MountRequestName, request: MountRequest, opened: OpenFileSystem): Promise<unknown> {
  switch (name) {
    case 'statistics':
      return mountReport(request, opened);
    case 'backup-metadata':
      return opened.uploads.toStore();
    default:
      throw new Error(`unknown request: ${String(name satisfies never)}`);
  }
}

/** Besides what s3qlstat gets from the control file. */
function mountReport(request: MountRequest, { blocks, limits, superblock }: OpenFileSystem): unknown {
  const { uploadingCount } = blocks.stats();
  const report = {
    mountpoint: request.mountpoint,
    storageUrl: request.storage.backend.url,
    label: superblock.label,
    pid: process.pid,
    uptimeSeconds: Math.round(process.uptime()),
    memoryBytes: process.memoryUsage.rss(),
    dataBlockSizeBytes: superblock.dataBlockSizeBytes,
    metadataBlockSizeBytes: superblock.metadataBlockSizeBytes,
    cacheLimits: limits,
    uploadingCount,
    compression: request.compress,
  };
  return JSON.parse(JSON.stringify(report, exactNumbers));
}
