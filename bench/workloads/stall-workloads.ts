/** How long others wait while the cache is brought to the store. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { run } from '../measure/run.ts';
import { percentile } from '../measure/statistics.ts';
import type { Workload } from './workload.ts';

const PROBE = fileURLToPath(new URL('./latency-probe-main.ts', import.meta.url));
const SHARE = 0.999;

export const stallWorkloads: readonly Workload[] = [
  {
    name: 'stall',
    title: 'operations during an upload: 99.9th percentile',
    unit: 'ms',
    after: [],
    needs: ['directory', 'flush'],
    run: async ({ target, data, path, timed }) => {
      await mkdir(path('probe'));
      await run('tar', ['-C', path('probe'), '-xf', data.treeArchive]);
      const probe = spawn(process.execPath, [PROBE, path('probe')], { stdio: ['pipe', 'pipe', 'inherit'] });
      const output: Buffer[] = [];
      probe.stdout.on('data', (chunk: Buffer) => output.push(chunk));
      await timed(async () => target.flush?.());
      probe.stdin.end();
      await once(probe, 'close');
      const latenciesMs = JSON.parse(Buffer.concat(output).toString()) as number[];
      return percentile(latenciesMs, SHARE);
    },
  },
];
