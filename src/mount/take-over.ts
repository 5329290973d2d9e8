/**
 * Keeps what is written to a file system that was taken over apart from what the machine it was taken from still writes until it notices: data
 * objects, and pieces of a generation that it was uploading.
 */
import type { MetadataDatabase } from '../metadata/database.ts';
import type { ObjectStore } from '../objects/object-store.ts';

/** More generations than that machine can begin until it notices that the file system is not its own any more. */
export const SEQ_NO_GAP = 100_000;
const DATA_OBJECT = /^s3ql_data_([0-9]{1,15})$/;
/** More ids than it can use until then. */
const GAP_COUNT = 1_000_000;

/** Afterwards all new ids are beyond those of all objects in the store, with room for those on their way. */
export async function skipObjectIds(objects: ObjectStore, database: Pick<MetadataDatabase, 'blocks'>, signal: AbortSignal): Promise<void> {
  let largest = 0;
  for await (const { key } of objects.list('s3ql_data_', { signal })) {
    largest = Math.max(largest, Number(DATA_OBJECT.exec(key)?.[1] ?? 0));
  }
  const next = database.blocks.reserveObjectIds(1);
  database.blocks.reserveObjectIds(Math.max(largest - next, 0) + GAP_COUNT);
}
