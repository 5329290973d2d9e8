/** mount.s3ql: mounts a file system. */
import { fileURLToPath } from 'node:url';
import { runMount } from '../cli/run-mount.ts';
import { workerUrl } from '../util/worker-url.ts';

export function run(argv: readonly string[]): Promise<number> {
  return runMount(argv, {
    // Only a mount in the foreground is served by this process.
    startMount: async (request, interaction) => (await import('../mount/start-mount.ts')).startMount(request, interaction),
    daemonModulePath: fileURLToPath(workerUrl('./mount-daemon.ts', import.meta.url)),
  });
}
