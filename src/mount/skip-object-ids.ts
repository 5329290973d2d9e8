/** Keeps new objects of a file system that was taken over apart from those of the machine it was taken from. */
import type { MetadataDatabase } from '../metadata/database.ts';
import type { ObjectStore } from '../objects/object-store.ts';

const DATA_OBJECT = /^s3ql_data_([0-9]{1,15})$/;
/** More ids than that machine can use until it notices that the file system is not its own any more. */
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
