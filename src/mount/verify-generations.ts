/** Downloads the newest generations of the metadata and looks whether each is whole: what "s3qladm restore-metadata" could go back to. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { databaseProblems } from '../check/integrity.ts';
import { DamagedGenerationError, downloadGeneration } from '../metadata/generation-download.ts';
import { listGenerations } from '../metadata/generations.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { Interaction } from '../util/interaction.ts';
import type { LocalDirectory } from './local-directory.ts';

const VERIFIED_GENERATIONS = 5;

export interface DamagedGeneration {
  readonly seqNo: number;
  readonly problem: string;
  readonly isNewest: boolean;
}

export async function verifyGenerations(
  local: LocalDirectory,
  objects: ObjectStore,
  connectionLimit: number,
  { progress, signal }: Pick<Interaction, 'progress' | 'signal'>,
): Promise<DamagedGeneration[]> {
  const all = await listGenerations(objects, { connectionLimit, signal });
  const complete = all.filter(({ superblock }) => superblock?.isMounted === false).slice(0, VERIFIED_GENERATIONS);
  const damaged: DamagedGeneration[] = [];
  using step = progress.step('Verifying metadata backups', 'generations');
  for (const [done, { seqNo, superblock }] of complete.entries()) {
    step.update({ done, total: complete.length });
    if (superblock === undefined) continue;
    const directory = mkdtempSync(join(local.path, 'verify-'));
    const paths = {
      databasePath: join(directory, 'metadata.db'),
      paramsPath: join(directory, 'params'),
      piecesPath: join(directory, 'pieces'),
    };
    try {
      await downloadGeneration({ store: objects, paths, superblock, connectionLimit, signal });
      const [problem] = databaseProblems(paths.databasePath);
      if (problem !== undefined) damaged.push({ seqNo, problem, isNewest: done === 0 });
    } catch (error) {
      if (!(error instanceof DamagedGenerationError)) throw error;
      damaged.push({ seqNo, problem: error.message, isNewest: done === 0 });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
  return damaged;
}
