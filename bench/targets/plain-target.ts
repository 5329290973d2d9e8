/** The plain directory underneath all others: what the disk's own file system does. */
import type { TargetKind } from './target.ts';

export const plainTarget: TargetKind = {
  name: 'plain',
  description: 'the plain directory underneath',
  programs: [],
  create: async (workDirectory) => ({
    name: 'plain',
    directory: workDirectory,
    daemonPids: () => [],
    [Symbol.asyncDispose]: async () => undefined,
  }),
};
