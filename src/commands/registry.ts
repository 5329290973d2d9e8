/** All commands: under which names they are known and where their code is. Nothing is loaded but what is asked for. */
import type { AnyCommandSpec } from '../cli/options/option.ts';

export interface CommandModule {
  /** Runs the command with what follows its name. Returns the exit code. What it throws is shown by main.ts. */
  run(argv: readonly string[]): Promise<number>;
}

export interface CommandEntry {
  /** As in `s3ql NAME`. */
  readonly name: string;
  /** The launcher in bin/, if it has one of its own. */
  readonly program?: string;
  readonly spec: () => Promise<AnyCommandSpec>;
  readonly load: () => Promise<CommandModule>;
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'mkfs',
    program: 'mkfs.s3ql',
    spec: async () => (await import('../cli/options/mkfs.ts')).mkfsSpec,
    load: () => import('./mkfs.ts'),
  },
  {
    name: 'mount',
    program: 'mount.s3ql',
    spec: async () => (await import('../cli/options/mount.ts')).mountSpec,
    load: () => import('./mount.ts'),
  },
  {
    name: 'umount',
    program: 'umount.s3ql',
    spec: async () => (await import('../cli/options/umount.ts')).umountSpec,
    load: () => import('./umount.ts'),
  },
  {
    name: 'stat',
    program: 's3qlstat',
    spec: async () => (await import('../cli/options/stat.ts')).statSpec,
    load: () => import('./stat.ts'),
  },
  {
    name: 'fsck',
    program: 'fsck.s3ql',
    spec: async () => (await import('../cli/options/fsck.ts')).fsckSpec,
    load: () => import('./fsck.ts'),
  },
  {
    name: 'verify',
    program: 's3ql_verify',
    spec: async () => (await import('../cli/options/verify.ts')).verifySpec,
    load: () => import('./verify.ts'),
  },
  {
    name: 'check-store',
    spec: async () => (await import('../cli/options/check-store.ts')).checkStoreSpec,
    load: () => import('./check-store.ts'),
  },
  {
    name: 'adm',
    program: 's3qladm',
    spec: async () => (await import('../cli/options/adm.ts')).admSpec,
    load: () => import('./adm.ts'),
  },
  {
    name: 'cp',
    program: 's3qlcp',
    spec: async () => (await import('../cli/options/cp.ts')).cpSpec,
    load: () => import('./cp.ts'),
  },
  {
    name: 'lock',
    program: 's3qllock',
    spec: async () => (await import('../cli/options/lock.ts')).lockSpec,
    load: () => import('./lock.ts'),
  },
  {
    name: 'rm',
    program: 's3qlrm',
    spec: async () => (await import('../cli/options/rm.ts')).rmSpec,
    load: () => import('./rm.ts'),
  },
  {
    name: 'ctrl',
    program: 's3qlctrl',
    spec: async () => (await import('../cli/options/ctrl.ts')).ctrlSpec,
    load: () => import('./ctrl.ts'),
  },
  {
    name: 'backup',
    spec: async () => (await import('../cli/options/backup.ts')).backupSpec,
    load: () => import('./backup.ts'),
  },
  {
    name: 'expire',
    spec: async () => (await import('../cli/options/expire.ts')).expireSpec,
    load: () => import('./expire.ts'),
  },
  {
    name: 'oauth-client',
    program: 's3ql_oauth_client',
    spec: async () => (await import('../cli/options/oauth-client.ts')).oauthClientSpec,
    load: () => import('./oauth-client.ts'),
  },
  {
    name: 'ls',
    spec: async () => (await import('../cli/options/ls.ts')).lsSpec,
    load: () => import('./ls.ts'),
  },
  {
    name: 'cat',
    spec: async () => (await import('../cli/options/cat.ts')).catSpec,
    load: () => import('./cat.ts'),
  },
  {
    name: 'get',
    spec: async () => (await import('../cli/options/get.ts')).getSpec,
    load: () => import('./get.ts'),
  },
  {
    name: 'put',
    spec: async () => (await import('../cli/options/put.ts')).putSpec,
    load: () => import('./put.ts'),
  },
  {
    name: 'find',
    spec: async () => (await import('../cli/options/find.ts')).findSpec,
    load: () => import('./find.ts'),
  },
  {
    name: 'du',
    spec: async () => (await import('../cli/options/du.ts')).duSpec,
    load: () => import('./du.ts'),
  },
  {
    name: 'pcp',
    spec: async () => (await import('../cli/options/pcp.ts')).pcpSpec,
    load: () => import('./pcp.ts'),
  },
  {
    name: 'benchmark',
    spec: async () => (await import('../cli/options/benchmark.ts')).benchmarkSpec,
    load: () => import('./benchmark.ts'),
  },
  {
    name: 'remove-objects',
    spec: async () => (await import('../cli/options/remove-objects.ts')).removeObjectsSpec,
    load: () => import('./remove-objects.ts'),
  },
];

/** Finds a command by its name or its program's. */
export function findCommand(name: string): CommandEntry | undefined {
  return COMMANDS.find((command) => command.name === name || command.program === name);
}
