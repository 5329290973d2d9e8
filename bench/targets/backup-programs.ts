/** Backup programs: no file system, but what many use instead of one. Each run is one process, measured by time(1). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from '../../tests/support/run-program.ts';
import type { ProgramUsage, Target, TargetKind } from './target.ts';

const TIMEOUT_MS = 900_000;

interface BackupProgram {
  readonly name: string;
  readonly description: string;
  environment(workDirectory: string): NodeJS.ProcessEnv;
  readonly init: readonly string[];
  backup(source: string): readonly string[];
  /** Restores the newest backup into the current directory, which is `into`. */
  restore(into: string, env: NodeJS.ProcessEnv): Promise<readonly string[]>;
}

const programs: readonly BackupProgram[] = [
  {
    name: 'restic',
    description: 'restic to a local repository',
    environment: (workDirectory) => ({
      RESTIC_REPOSITORY: join(workDirectory, 'repository'),
      RESTIC_PASSWORD: 'benchmark',
      RESTIC_CACHE_DIR: join(workDirectory, 'cache'),
    }),
    init: ['init'],
    backup: (source) => ['backup', '--quiet', source],
    restore: async (into) => ['restore', '--quiet', 'latest', '--target', into],
  },
  {
    name: 'borg',
    description: 'borg to a local repository, zlib-6',
    environment: (workDirectory) => ({
      BORG_REPO: join(workDirectory, 'repository'),
      BORG_PASSPHRASE: 'benchmark',
      BORG_BASE_DIR: workDirectory,
    }),
    init: ['init', '--encryption', 'repokey'],
    backup: (source) => ['create', '--compression', 'zlib,6', '::{now:%Y-%m-%dT%H:%M:%S.%f}', source],
    restore: async (_into, env) => {
      const newest = await mustRun('borg', ['list', '--last', '1', '--format', '{archive}'], { env });
      return ['extract', `::${newest.stdout.trim()}`];
    },
  },
];

export const backupPrograms: readonly TargetKind[] = programs.map((program) => ({
  name: program.name,
  description: program.description,
  programs: [program.name, 'time'],
  create: async (workDirectory) => {
    const env = { ...process.env, ...program.environment(workDirectory) };
    await mustRun(program.name, program.init, { env });
    return backupTarget(program, workDirectory, env);
  },
}));

function backupTarget(program: BackupProgram, workDirectory: string, env: NodeJS.ProcessEnv): Target {
  const measured = async (args: readonly string[], cwd: string): Promise<ProgramUsage> => {
    const usage = join(workDirectory, 'usage');
    await mustRun('time', ['-o', usage, '-f', '%U %S %M', program.name, ...args], { env, cwd, timeoutMs: TIMEOUT_MS });
    const [user = 0, system = 0, peakKib = 0] = (await readFile(usage, 'utf8')).trim().split(' ').map(Number);
    return { cpuSeconds: user + system, peakBytes: peakKib * 1024 };
  };
  return {
    name: program.name,
    daemonPids: () => [],
    backup: (source) => measured(program.backup(source), workDirectory),
    restore: async (into) => measured(await program.restore(into, env), into),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
