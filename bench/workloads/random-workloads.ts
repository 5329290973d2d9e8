/** fio: blocks of 4 KiB at random places of one file, through the page cache. */
import { run, output } from '../measure/run.ts';
import type { Workload, WorkloadContext } from './workload.ts';

interface FioReport {
  readonly jobs: readonly { readonly read: { readonly iops: number }; readonly write: { readonly iops: number } }[];
}

/** Operations per second as fio counts them; making the file is not among them. */
async function fio(context: WorkloadContext, direction: 'read' | 'write'): Promise<number> {
  const { data, path, timed } = context;
  const file = [`--filename=${path('fio')}`, `--size=${data.fioBytes}`, '--ioengine=psync', '--bs=4k', '--output-format=json'];
  await run('dd', [
    `if=${data.randomFile}`,
    `of=${path('fio')}`,
    'bs=1M',
    `count=${data.fioBytes / 1024 ** 2}`,
    'conv=fsync',
    'status=none',
  ]);
  let report: FioReport | undefined;
  await timed(async () => {
    // Each block once.
    const text = await output('fio', ['--name=bench', `--rw=rand${direction}`, ...file, '--invalidate=0', '--randrepeat=1']);
    report = JSON.parse(text) as FioReport;
  });
  return report?.jobs[0]?.[direction].iops ?? 0;
}

export const randomWorkloads: readonly Workload[] = [
  {
    name: 'fio-write',
    title: 'fio: random writes of 4 KiB',
    unit: 'operations/s',
    after: [],
    needs: ['directory'],
    run: (context) => fio(context, 'write'),
  },
  {
    name: 'fio-read',
    title: 'fio: random reads of 4 KiB',
    unit: 'operations/s',
    after: [],
    needs: ['directory'],
    run: (context) => fio(context, 'read'),
  },
];
