/** The moment from which a file system is in use here: the store says so, and everything written is guarded. */
import { FileSystemLostError } from '../backends/errors.ts';
import type { Superblock } from '../metadata/superblock.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { UserError } from '../util/errors.ts';
import { FencedObjectStore } from './fenced-object-store.ts';
import { EXIT_MOUNTED_ELSEWHERE, type Lease } from './lease.ts';
import type { SuperblockKeeper } from './superblock-keeper.ts';
import { WriterGuard } from './writer-guard.ts';

export interface BeginWritingOptions {
  readonly lease: Lease;
  readonly keeper: SuperblockKeeper;
  readonly objects: ObjectStore;
  /** The one to publish. */
  readonly superblock: Superblock;
  readonly signal: AbortSignal;
}

export interface Writing {
  /** To be disposed. */
  readonly guard: WriterGuard;
  /** For all that is written from now on. */
  readonly objects: ObjectStore;
}

/** @throws UserError exit 31 if another machine was faster */
export async function beginWriting({ lease, keeper, objects, superblock, signal }: BeginWritingOptions): Promise<Writing> {
  await keeper.publish(superblock, { signal, requireOwned: () => lease.requireHeld() });
  await lease.published();
  const guard = new WriterGuard(lease, keeper, objects);
  await guard.check().catch((error: unknown) => {
    throw error instanceof FileSystemLostError
      ? new UserError('Another machine has taken the file system over in this moment.', EXIT_MOUNTED_ELSEWHERE)
      : error;
  });
  return { guard, objects: new FencedObjectStore(objects, guard) };
}
