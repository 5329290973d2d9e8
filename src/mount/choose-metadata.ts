/**
 * Which copy of the metadata a mount goes on with: the one on this machine or the newest in the store. A pure decision on superblocks.
 *
 * This machine remembers two superblocks: `written`, the last one it wrote locally, and `confirmed`, the last one that it knows the store
 * had (written by it, or found there when it began). Local is written before the store, so whatever happened to the last mount here, the
 * store's superblock is one of the two unless somebody else mounted since:
 * - crashed while mounting: store = confirmed, clean; the database is still that generation's;
 * - crashed while mounted: store = written, or confirmed between the two writes of an upload;
 * - crashed while unmounting: store = confirmed, still mounted; written is clean.
 * In all of these the local copy has everything the store has, and more. Two machines that mount the same generation write superblocks
 * that differ in `lastModifiedSeconds`, so a store's superblock that is neither of the two is somebody else's.
 */
import type { Superblock } from '../metadata/superblock.ts';

export type SuperblockState = Pick<Superblock, 'seqNo' | 'isMounted' | 'needsFsck' | 'lastModifiedSeconds'>;

export interface LocalSuperblocks<State extends SuperblockState = Superblock> {
  readonly written: State;
  readonly confirmed: State | undefined;
}

export type MetadataChoice =
  /** The local copy is that of the store's generation. */
  | { readonly use: 'local' }
  /** The last mount was here and did not end well: go on with the local copy after recovery. */
  | { readonly use: 'recovered-local' }
  /** Fetch from the store. `setAside`: the local copy may hold changes of a crashed mount that the store, used elsewhere since, never got. */
  | { readonly use: 'store'; readonly setAside: boolean }
  /** The last mount was elsewhere and has not ended. */
  | { readonly refuse: 'mounted-elsewhere' }
  | { readonly refuse: 'needs-fsck' };

export function chooseMetadata(local: LocalSuperblocks<SuperblockState> | undefined, remote: SuperblockState): MetadataChoice {
  if (local !== undefined && samePublication(local.written, remote)) {
    if (remote.needsFsck) return { refuse: 'needs-fsck' };
    return remote.isMounted ? { use: 'recovered-local' } : { use: 'local' };
  }
  if (local?.confirmed !== undefined && samePublication(local.confirmed, remote)) {
    return local.written.needsFsck || remote.needsFsck ? { refuse: 'needs-fsck' } : { use: 'recovered-local' };
  }
  if (remote.isMounted) return { refuse: 'mounted-elsewhere' };
  if (remote.needsFsck) return { refuse: 'needs-fsck' };
  const localWasStored = local?.confirmed !== undefined && samePublication(local.written, local.confirmed) && !local.written.isMounted;
  return { use: 'store', setAside: local !== undefined && !localWasStored };
}

/** Whether both are one publication. */
export function samePublication(a: SuperblockState, b: SuperblockState): boolean {
  return a.seqNo === b.seqNo && a.lastModifiedSeconds === b.lastModifiedSeconds && a.isMounted === b.isMounted;
}
