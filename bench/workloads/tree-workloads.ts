/** A tree of small files: made, flushed, looked at, read, copied, removed. */
import { mkdir, readdir } from 'node:fs/promises';
import { run } from '../measure/run.ts';
import { dropKernelCaches } from '../measure/kernel-cache.ts';
import type { Workload, WorkloadContext } from './workload.ts';

/** How many files of the tree per second. */
async function treeRate({ data, timed }: WorkloadContext, work: () => Promise<unknown>): Promise<number> {
  return data.treeFileCount / (await timed(work));
}

/** How many files and directories of the tree per second. */
async function entryRate({ data, timed }: WorkloadContext, work: () => Promise<unknown>): Promise<number> {
  const directoryCount = (await readdir(data.tree)).length + 1;
  return (data.treeFileCount + directoryCount) / (await timed(work));
}

const find = ({ path }: WorkloadContext): Promise<void> => run('find', [path('tree'), '-printf', '%s %T@ %m %p\\n']);
/** tar reads nothing if it sees that it writes to /dev/null. */
const tarRead = ({ path }: WorkloadContext): Promise<void> => run('sh', ['-c', 'tar -C "$1" -cf - tree | cat >/dev/null', 'sh', path('')]);

export const treeWorkloads: readonly Workload[] = [
  {
    name: 'untar',
    title: 'untar of small files',
    unit: 'files/s',
    after: [],
    needs: ['directory'],
    run: (context) => treeRate(context, () => run('tar', ['-C', context.path(''), '-xf', context.data.treeArchive])),
  },
  {
    name: 'flush',
    title: 'everything of that in the store',
    unit: 's',
    after: ['untar'],
    needs: ['flush'],
    run: ({ target, timed }) => timed(async () => target.flush?.()),
  },
  {
    name: 'find-cold',
    title: 'find with stat, kernel cache dropped',
    unit: 'entries/s',
    after: ['untar'],
    needs: ['directory'],
    run: async (context) => {
      await dropKernelCaches(context.target);
      return entryRate(context, () => find(context));
    },
  },
  {
    name: 'find-warm',
    title: 'find with stat, again',
    unit: 'entries/s',
    after: ['untar'],
    needs: ['directory'],
    run: (context) => entryRate(context, () => find(context)),
  },
  {
    name: 'rsync',
    title: 'rsync with nothing to do',
    unit: 'entries/s',
    after: ['untar'],
    needs: ['directory'],
    run: async (context) => {
      await dropKernelCaches(context.target);
      return entryRate(context, () => run('rsync', ['-a', `${context.data.tree}/`, `${context.path('tree')}/`]));
    },
  },
  {
    name: 'tar-read',
    title: 'tar of small files, kernel cache dropped',
    unit: 'files/s',
    after: ['untar'],
    needs: ['directory'],
    run: async (context) => {
      await dropKernelCaches(context.target);
      return treeRate(context, () => tarRead(context));
    },
  },
  {
    name: 'tar-read-store',
    title: 'tar of small files from the store, empty cache',
    unit: 'files/s',
    after: ['untar'],
    needs: ['directory', 'emptyCache'],
    run: async (context) => {
      await context.target.emptyCache?.();
      await dropKernelCaches(context.target);
      return treeRate(context, () => tarRead(context));
    },
  },
  {
    name: 'cp',
    title: 'cp -r within',
    unit: 'files/s',
    after: ['untar'],
    needs: ['directory'],
    run: (context) => treeRate(context, () => run('cp', ['-r', context.path('tree'), context.path('copy')])),
  },
  {
    name: 'rm',
    title: 'rm -rf of that copy',
    unit: 'files/s',
    after: ['cp'],
    needs: ['directory'],
    run: (context) => treeRate(context, () => run('rm', ['-rf', context.path('copy')])),
  },
  {
    name: 'snapshot',
    title: 'snapshot of the tree (s3qlcp)',
    unit: 's',
    after: ['untar'],
    needs: ['directory', 'snapshot'],
    run: ({ target, timed }) => timed(async () => target.snapshot?.('tree', 'snapshot')),
  },
  {
    name: 'again',
    title: 'the same tree once more, until it is in the store',
    unit: 'files/s',
    after: ['untar', 'flush'],
    needs: ['directory', 'flush'],
    run: async (context) => {
      await mkdir(context.path('again'));
      return treeRate(context, async () => {
        await run('tar', ['-C', context.path('again'), '-xf', context.data.treeArchive]);
        await context.target.flush?.();
      });
    },
  },
];
