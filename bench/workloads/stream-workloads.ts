/** One large file of random data: written, read back from the cache, read back from the store. */
import { rm } from 'node:fs/promises';
import { run } from '../measure/run.ts';
import { dropKernelCaches } from '../measure/kernel-cache.ts';
import type { Workload, WorkloadContext } from './workload.ts';

const MIB = 1024 * 1024;
const FILE = 'stream';

async function readBack({ target, data, path, timed }: WorkloadContext): Promise<number> {
  await dropKernelCaches(target);
  return data.randomBytes / MIB / (await timed(() => run('dd', [`if=${path(FILE)}`, 'of=/dev/null', 'bs=1M', 'status=none'])));
}

export const streamWorkloads: readonly Workload[] = [
  {
    name: 'write',
    title: 'sequential write, fsync at the end',
    unit: 'MiB/s',
    after: [],
    needs: ['directory'],
    run: async ({ data, path, timed }) =>
      data.randomBytes /
      MIB /
      (await timed(() => run('dd', [`if=${data.randomFile}`, `of=${path(FILE)}`, 'bs=1M', 'conv=fsync', 'status=none']))),
  },
  {
    name: 'read-cached',
    title: 'sequential read, kernel cache dropped',
    unit: 'MiB/s',
    after: ['write'],
    needs: ['directory'],
    run: readBack,
  },
  {
    name: 'read-store',
    title: 'sequential read from the store, empty cache',
    unit: 'MiB/s',
    after: ['write'],
    needs: ['directory', 'emptyCache'],
    run: async (context) => {
      await context.target.emptyCache?.();
      return readBack(context);
    },
  },
  {
    name: 'remove-stream',
    title: 'removal of the large file',
    unit: 's',
    after: ['write'],
    needs: ['directory'],
    run: ({ path, timed }) => timed(() => rm(path(FILE))),
  },
];
