/**
 * A process that serves a file system in memory: `daemon-main.ts MOUNTPOINT`. Prints `mounted` when it does and `ended` when it was
 * unmounted. SIGUSR1 makes it call process.exit(3), SIGUSR2 throw, SIGTERM unmount.
 */
import { mountFuse } from '../../../src/fuse/mount.ts';
import { MemoryFileSystem } from './memory-file-system.ts';

const [mountpoint = ''] = process.argv.slice(2);
const mount = await mountFuse({
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
});
process.on('SIGUSR1', () => process.exit(3));
process.on('SIGUSR2', () => {
  throw new Error('asked to');
});
process.on('SIGTERM', () => {
  mount.unmount().catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 4;
  });
});
process.stdout.write('mounted\n');
await mount.ended;
process.stdout.write('ended\n');
process.removeAllListeners();
