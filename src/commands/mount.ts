/** mount.s3ql: mounts a file system. */
import { fileURLToPath } from 'node:url';
import { runMount } from '../cli/run-mount.ts';
import { startMount } from '../mount/start-mount.ts';
import { workerUrl } from '../util/worker-url.ts';

export function run(argv: readonly string[]): Promise<number> {
  return runMount(argv, { startMount, daemonModulePath: fileURLToPath(workerUrl('./mount-daemon.ts', import.meta.url)) });
}
