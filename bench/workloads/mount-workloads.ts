/** A file system of many files: made, mounted and unmounted, with the metadata on this machine or only in the store; and its memory. */
import { writeFile } from 'node:fs/promises';
import { residentBytes } from '../measure/daemon-usage.ts';
import { run } from '../measure/run.ts';
import type { Workload } from './workload.ts';

const MIB = 1024 * 1024;

export const mountWorkloads: readonly Workload[] = [
  {
    name: 'tiny',
    title: 'untar of many tiny files',
    unit: 'files/s',
    after: [],
    needs: ['directory'],
    run: async ({ data, path, timed }) => data.tinyFileCount / (await timed(() => run('tar', ['-C', path(''), '-xf', data.tinyArchive]))),
  },
  {
    name: 'unmount-all',
    title: 'unmount after that, everything in the store',
    unit: 's',
    after: ['tiny'],
    needs: ['mount', 'unmount'],
    run: async ({ target, timed }) => {
      const seconds = await timed(async () => target.unmount?.());
      await target.mount?.({ forgetLocalState: false });
      return seconds;
    },
  },
  {
    name: 'mount-warm',
    title: 'mount of many files, metadata on this machine',
    unit: 's',
    after: ['tiny'],
    needs: ['mount', 'unmount'],
    run: async ({ target, timed }) => {
      await target.unmount?.();
      return timed(async () => target.mount?.({ forgetLocalState: false }));
    },
  },
  {
    name: 'mount-cold',
    title: 'mount of many files, metadata in the store only',
    unit: 's',
    after: ['tiny'],
    needs: ['mount', 'unmount'],
    run: async ({ target, timed }) => {
      await target.unmount?.();
      return timed(async () => target.mount?.({ forgetLocalState: true }));
    },
  },
  {
    name: 'unmount-one',
    title: 'unmount after one change',
    unit: 's',
    after: ['tiny', 'mount-cold'],
    needs: ['mount', 'unmount', 'directory'],
    run: async ({ target, path, timed }) => {
      await writeFile(path('one-change'), 'changed');
      const seconds = await timed(async () => target.unmount?.());
      await target.mount?.({ forgetLocalState: false });
      return seconds;
    },
  },
  {
    name: 'memory',
    title: 'memory of the daemon after find over many files',
    unit: 'MiB',
    after: ['tiny'],
    needs: ['mount', 'unmount', 'directory'],
    run: async ({ target, path, timed }) => {
      await target.unmount?.();
      await target.mount?.({ forgetLocalState: false });
      await timed(() => run('find', [path('tiny'), '-printf', '%s']));
      return target.daemonPids().reduce((sum, pid) => sum + residentBytes(pid), 0) / MIB;
    },
  },
];
