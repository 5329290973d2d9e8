/** The process behind a mount in the background; started by mount.s3ql. */
import { runMountDaemon } from '../cli/run-mount.ts';
import { startMount } from '../mount/start-mount.ts';

await runMountDaemon(startMount);
