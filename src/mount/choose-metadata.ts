/**
 * Which copy of the metadata a mount goes on with: the one on this machine or the newest in the store. A pure decision on the two superblocks.
 *
 * The store's superblock says `isMounted` from the start of a mount to its end, and every write of a superblock, local first, has a higher
 * sequence number than the one before it or ends a mount. So, if this machine made the last mount:
 * - it crashed while mounting: local is mounted and one ahead of a store that is not (the database is that of the store's generation);
 * - it crashed while mounted: both are mounted, with equal numbers, or local is one ahead (between the two writes of an upload);
 * - it crashed while unmounting: local is clean, the store is still mounted with the same number.
 * In all of these the local copy has everything the store has, and more.
 */
export interface SuperblockState {
  readonly sequenceNumber: number;
  readonly isMounted: boolean;
  readonly needsFsck: boolean;
}

export type MetadataChoice =
  /** The local copy is that of the store's generation. */
  | { readonly use: 'local' }
  /** The last mount was here and did not end well: go on with the local copy after recovery. */
  | { readonly use: 'recovered-local' }
  /** Fetch from the store. `setAside`: the local copy holds changes of a crashed mount that the store, used elsewhere since, never got. */
  | { readonly use: 'store'; readonly setAside: boolean }
  /** The last mount was elsewhere and has not ended. */
  | { readonly refuse: 'mounted-elsewhere' }
  | { readonly refuse: 'needs-fsck' };

export function chooseMetadata(local: SuperblockState | undefined, remote: SuperblockState): MetadataChoice {
  if (local !== undefined && local.sequenceNumber >= remote.sequenceNumber) {
    if (local.needsFsck) return { refuse: 'needs-fsck' };
    if (local.isMounted || remote.isMounted) return { use: 'recovered-local' };
    return local.sequenceNumber === remote.sequenceNumber ? { use: 'local' } : { use: 'recovered-local' };
  }
  if (remote.isMounted) return { refuse: 'mounted-elsewhere' };
  if (remote.needsFsck) return { refuse: 'needs-fsck' };
  return { use: 'store', setAside: local?.isMounted ?? false };
}
