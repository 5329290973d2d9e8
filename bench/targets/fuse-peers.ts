/** Other FUSE file systems, each as its users mount it, over a directory on the same disk or a local S3 server. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from '../../tests/support/run-program.ts';
import { S3Server, TEST_ACCOUNT } from '../../tests/support/servers/s3-server.ts';
import { ServedMount, type ServedMountOptions } from './served-mount.ts';
import type { Target, TargetKind } from './target.ts';

const PASSPHRASE = 'benchmark';

interface Places {
  readonly workDirectory: string;
  /** What the file system stores its files in. */
  readonly lower: string;
  readonly mountpoint: string;
}

interface Peer {
  readonly name: string;
  readonly description: string;
  readonly programs: readonly string[];
  /** Makes the file system; returns how to mount it in the foreground, and what must be closed after it. */
  prepare(places: Places): Promise<Omit<ServedMountOptions, 'mountpoint'> & { readonly resource?: AsyncDisposable }>;
}

const peers: readonly Peer[] = [
  {
    name: 'bindfs',
    description: 'FUSE in C, plain pass-through',
    programs: ['bindfs'],
    prepare: async ({ lower, mountpoint }) => ({ command: 'bindfs', args: ['-f', lower, mountpoint] }),
  },
  {
    name: 'gocryptfs',
    description: 'encrypts file by file',
    programs: ['gocryptfs'],
    prepare: async ({ lower, mountpoint }) => {
      const secret = ['-q', '-extpass', `echo ${PASSPHRASE}`];
      await mustRun('gocryptfs', ['-init', '-scryptn', '10', ...secret, lower]);
      return { command: 'gocryptfs', args: ['-fg', ...secret, lower, mountpoint] };
    },
  },
  {
    name: 'cryfs',
    description: 'encrypts in blocks of equal size',
    programs: ['cryfs'],
    prepare: async ({ workDirectory, lower, mountpoint }) => ({
      command: 'cryfs',
      args: ['-f', lower, mountpoint],
      input: `${PASSPHRASE}\n`,
      env: { CRYFS_FRONTEND: 'noninteractive', CRYFS_NO_UPDATE_CHECK: 'true', HOME: workDirectory },
    }),
  },
  {
    name: 'rclone',
    description: 'rclone mount of a local directory, with its write cache',
    programs: ['rclone'],
    prepare: async ({ workDirectory, lower, mountpoint }) => ({
      command: 'rclone',
      args: ['mount', '--vfs-cache-mode', 'full', '--cache-dir', join(workDirectory, 'cache'), '--config', '/dev/null', lower, mountpoint],
    }),
  },
  {
    name: 's3fs',
    description: 's3fs of a local S3 server',
    programs: ['s3fs'],
    prepare: async ({ workDirectory, mountpoint }) => {
      const server = await S3Server.start();
      const passwords = join(workDirectory, 'passwd-s3fs');
      await writeFile(passwords, `${TEST_ACCOUNT.accessKeyId}:${TEST_ACCOUNT.secretAccessKey}\n`, { mode: 0o600 });
      const options = [
        `passwd_file=${passwords}`,
        `url=${server.http.origin}`,
        'use_path_request_style',
        'nomultipart',
        'endpoint=us-east-1',
      ];
      return { command: 's3fs', args: ['bucket', mountpoint, '-f', ...options.flatMap((option) => ['-o', option])], resource: server };
    },
  },
];

export const fusePeers: readonly TargetKind[] = peers.map((peer) => ({
  name: peer.name,
  description: peer.description,
  programs: peer.programs,
  create: (workDirectory) => mountPeer(peer, workDirectory),
}));

async function mountPeer(peer: Peer, workDirectory: string): Promise<Target> {
  await using resources = new AsyncDisposableStack();
  const places: Places = { workDirectory, lower: join(workDirectory, 'lower'), mountpoint: join(workDirectory, 'mnt') };
  await mkdir(places.lower);
  await mkdir(places.mountpoint);
  const { resource, ...options } = await peer.prepare(places);
  if (resource !== undefined) resources.use(resource);
  const start = (): Promise<ServedMount> => ServedMount.start({ ...options, mountpoint: places.mountpoint });
  let mount = await start();
  resources.defer(() => mount[Symbol.asyncDispose]());
  const owned = resources.move();
  return {
    name: peer.name,
    directory: places.mountpoint,
    daemonPids: () => [mount.pid],
    remount: async () => {
      await mount.unmount();
      mount = await start();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
