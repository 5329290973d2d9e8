/**
 * A process that serves a file system in memory: `daemon-main.ts MOUNTPOINT [OPTIONS AS JSON]`. Prints `mounted` when it does and `ended`
 * when it was unmounted, or what went wrong. SIGUSR1 makes it call process.exit(3), SIGUSR2 throw, SIGTERM unmount.
 */
import type { KernelMountOptions } from '../../../src/fuse/kernel-mount.ts';
import { mountFuse } from '../../../src/fuse/mount.ts';
import { MemoryFileSystem } from './memory-file-system.ts';

const [mountpoint = '', options = '{}'] = process.argv.slice(2);
const mount = await mountFuse({
  ...(JSON.parse(options) as Partial<KernelMountOptions>),
  mountpoint,
  source: 'local:///data, with\\specials/',
  subtype: 's3ql',
  defaultPermissions: true,
  handlers: new MemoryFileSystem(),
  session: {
    onError(error, name) {
      throw new Error(`${name} failed`, { cause: error });
    },
  },
}).catch((error: unknown) => {
  process.stdout.write(`${String(error)}\n`);
  process.exit(1);
});
process.on('SIGUSR1', () => process.exit(3));
process.on('SIGUSR2', () => {
  throw new Error('asked to');
});
process.on('SIGTERM', () => {
  mount.unmount().catch((error: unknown) => process.stdout.write(`${String(error)}\n`));
});
process.stdout.write('mounted\n');
await mount.ended;
process.stdout.write('ended\n');
process.removeAllListeners();
