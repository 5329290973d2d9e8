/** mount.s3ql --fg with a store that answers after S3QL_BENCH_DELAY_MS: `s3ql-mount-main.ts ARGUMENTS...` */
import type { BackendSpec } from '../../src/backends/backend-factory.ts';
import { openBackend } from '../../src/backends/open-backend.ts';
import { type ConnectedBackend, openDecorated } from '../../src/backends/decorated-backend.ts';
import { runMount } from '../../src/cli/run-mount.ts';
import { startMount } from '../../src/mount/start-mount.ts';
import { DelayedBackend } from './delayed-backend.ts';

const delayMs = Number(process.env.S3QL_BENCH_DELAY_MS ?? 0);

/** Delayed within the limit on connections: a request under way holds its connection. */
function connectDelayed(spec: BackendSpec): Promise<ConnectedBackend> {
  return openDecorated(spec, {
    async open(inner) {
      const backend = await openBackend(inner);
      return delayMs > 0 ? new DelayedBackend(backend, delayMs) : backend;
    },
  });
}

const exitCode = await runMount(['--fg', ...process.argv.slice(2)], {
  startMount: (request, interaction) => startMount(request, interaction, connectDelayed),
  daemonModulePath: import.meta.filename,
});
process.exit(exitCode);
