/** s3qladm info: what a file system is, without mounting it. Takes no lock: works while it is mounted. */
import { formatBytes } from '../../cli/format.ts';
import type { AdminRequest, AdminInteraction, AdminResult } from '../../cli/run-adm.ts';
import type { Backend } from '../../backends/backend.ts';
import { fetchSuperblock, listGenerations } from '../../metadata/generations.ts';
import { openObjects } from '../open-store.ts';
import { generationLines } from './restore-metadata.ts';

const yesNo = (value: boolean): string => (value ? 'yes' : 'no');

export async function showInfo({ storage, compress }: AdminRequest, interaction: AdminInteraction): Promise<AdminResult> {
  const { objects, backend, masterKey } = await openObjects(storage, compress, interaction);
  const encrypted = masterKey !== undefined;
  await using _objects = objects;
  const { signal } = interaction;
  const superblock = await fetchSuperblock(objects, { signal });
  const generations = await listGenerations(objects, { connectionLimit: storage.backend.maxConnections, signal });
  const compression = await compressionOfFirst(backend, signal);
  const date = (seconds: number): string => new Date(seconds * 1000).toISOString();
  const lines: ReadonlyArray<readonly [string, string]> = [
    ['Storage URL', backend.url],
    ['Label', superblock.label],
    ['Revision', String(superblock.revision)],
    ['Encrypted', yesNo(encrypted)],
    ['Compression', compression ?? 'unknown: there is no data'],
    ['Data block size', formatBytes(superblock.dataBlockSizeBytes)],
    ['Metadata block size', formatBytes(superblock.metadataBlockSizeBytes)],
    ['Metadata size', formatBytes(superblock.databaseSizeBytes)],
    ['Mounted', yesNo(superblock.isMounted)],
    ['Needs fsck', yesNo(superblock.needsFsck)],
    ['Last modified', date(superblock.lastModifiedSeconds)],
    ['Last checked', date(superblock.lastFsckSeconds)],
  ];
  return {
    text:
      lines.map(([title, value]) => `${`${title}:`.padEnd(22)}${value}\n`).join('') +
      `Metadata generations (index, number, date, size):\n${generationLines(generations).join('')}`,
    json: {
      storageUrl: backend.url,
      ...superblock,
      encrypted,
      compression: compression ?? null,
      generations: generations.map(({ seqNo, superblock: kept, problem }) => ({
        seqNo,
        lastModifiedSeconds: kept?.lastModifiedSeconds,
        databaseSizeBytes: kept?.databaseSizeBytes,
        isMounted: kept?.isMounted,
        problem,
      })),
    },
  };
}

/** How the first object listed is compressed: every object says so itself, and new ones may differ from old ones. */
async function compressionOfFirst(backend: Backend, signal: AbortSignal): Promise<string | undefined> {
  for await (const { key } of backend.list('s3ql_data_', { signal })) {
    const { metadata } = await backend.stat(key, { signal });
    const { compression } = metadata;
    return typeof compression === 'string' ? compression.toLowerCase() : undefined;
  }
  return undefined;
}
