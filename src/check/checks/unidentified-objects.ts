/**
 * Every object's digest and length are known. Of one for which they are not (S3QL failed to upload it, or the row is damaged) the store is
 * asked; what the store does not have, or what is damaged there, has no row.
 */
import { createHash } from 'node:crypto';
import { CorruptedObjectError, NoSuchObjectError } from '../../backends/errors.ts';
import type { CheckContext, Check } from '../check.ts';

export const unidentifiedObjects: Check = {
  name: 'objects without digest or length',
  async run(context) {
    const { database, findings, blockSizeBytes } = context;
    const rows = database.rows<[bigint]>('SELECT id FROM objects WHERE hash IS NULL OR length < 0 OR length > ?', BigInt(blockSizeBytes));
    for (const [id] of rows) {
      const what = await identify(context, id);
      findings.repaired(this.name, `Object ${id} had no valid digest or length: ${what}`);
    }
  },
};

async function identify(context: CheckContext, id: bigint): Promise<string> {
  const { database } = context;
  const found = await fetchBlock(context, Number(id));
  if (found === undefined) {
    database.run('DELETE FROM objects WHERE id = ?', id);
    return 'the store has none that is whole';
  }
  const twin = database.row<[bigint]>('SELECT id FROM objects WHERE hash = ? AND id != ?', found.digest, id)?.[0];
  if (twin === undefined) {
    database.run('UPDATE objects SET hash = ?, length = ? WHERE id = ?', found.digest, found.lengthBytes, id);
    return 'found out from the store';
  }
  const moved = database.run('UPDATE inode_blocks SET obj_id = ? WHERE obj_id = ?', twin, id);
  database.run('UPDATE objects SET refcount = refcount + ? WHERE id = ?', moved, twin);
  database.run('DELETE FROM objects WHERE id = ?', id);
  return `it is the same as object ${twin}, which takes its place`;
}

/** Digest and length of what the store has; undefined if that is nothing, or no block. */
export async function fetchBlock(
  { objects, listing, blockSizeBytes, signal }: CheckContext,
  id: number,
): Promise<{ readonly digest: Uint8Array; readonly lengthBytes: number } | undefined> {
  if (!listing.has(id)) return undefined;
  try {
    const bytes = await objects.get(`s3ql_data_${id}`, { maxSizeBytes: blockSizeBytes, ...(signal === undefined ? {} : { signal }) });
    return { digest: createHash('sha256').update(bytes).digest(), lengthBytes: bytes.length };
  } catch (error) {
    if (error instanceof CorruptedObjectError || error instanceof NoSuchObjectError) return undefined;
    throw error;
  }
}
