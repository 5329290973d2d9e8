/** Every target, and which of them this machine has the programs for. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { backupPrograms } from './backup-programs.ts';
import { fusePeers } from './fuse-peers.ts';
import { plainTarget } from './plain-target.ts';
import { farS3qlTarget, s3qlTarget } from './s3ql-target.ts';
import type { TargetKind } from './target.ts';

export const allTargets: readonly TargetKind[] = [s3qlTarget, farS3qlTarget, plainTarget, ...fusePeers, ...backupPrograms];

export function isInstalled({ programs }: TargetKind): boolean {
  return programs.every((program) => (process.env.PATH ?? '').split(delimiter).some((directory) => isExecutable(join(directory, program))));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
