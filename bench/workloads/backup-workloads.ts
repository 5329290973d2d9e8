/** A tree backed up, once more without a change, and restored: by backup programs, and by rsync to file systems with a store. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dropKernelCaches } from '../measure/kernel-cache.ts';
import type { Workload } from './workload.ts';

export const backupWorkloads: readonly Workload[] = [
  {
    name: 'backup',
    title: 'backup of the tree (rsync and flush), first',
    unit: 'files/s',
    after: [],
    needs: ['backup'],
    run: async ({ target, data, timed }) => data.treeFileCount / (await timed(async () => target.backup?.(data.tree))),
  },
  {
    name: 'backup-again',
    title: 'backup of the tree, nothing changed',
    unit: 'files/s',
    after: ['backup'],
    needs: ['backup'],
    run: async ({ target, data, timed }) => data.treeFileCount / (await timed(async () => target.backup?.(data.tree))),
  },
  {
    name: 'restore',
    title: 'restore of the tree, kernel cache dropped',
    unit: 'files/s',
    after: ['backup'],
    needs: ['restore'],
    run: async ({ target, data, timed }) => {
      const into = await mkdtemp(join(tmpdir(), 's3ql-bench-restore-'));
      try {
        await dropKernelCaches(target);
        return data.treeFileCount / (await timed(async () => target.restore?.(into)));
      } finally {
        await rm(into, { recursive: true });
      }
    },
  },
];
