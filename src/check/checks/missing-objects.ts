/** Every object that the metadata knows is in the store. The store is asked twice before one counts as missing: listings may lag behind. */
import { CorruptedObjectError, NoSuchObjectError } from '../../backends/errors.ts';
import { forEachLimit } from '../../util/for-each-limit.ts';
import type { Check, CheckContext } from '../check.ts';

export const missingObjects: Check = {
  name: 'missing objects',
  async run(context) {
    const { database, listing, lastHandedOutId, findings, connectionLimit, signal } = context;
    const suspects: number[] = [];
    // What was uploaded since the listing has higher ids than everything before.
    const lastBefore = BigInt(Math.max(lastHandedOutId, listing.highestId));
    for (const [id] of database.iterate<[bigint]>('SELECT id FROM objects WHERE id <= ?', lastBefore)) {
      if (!listing.has(Number(id))) suspects.push(Number(id));
    }
    const missing: number[] = [];
    await forEachLimit(
      suspects,
      connectionLimit,
      async (id) => {
        if (await isMissing(context, id)) missing.push(id);
      },
      signal,
    );
    for (const id of missing.toSorted((a, b) => a - b)) {
      database.run('DELETE FROM objects WHERE id = ?', id);
      findings.repaired(this.name, `Object ${id} is missing in the store`);
    }
  },
};

async function isMissing({ objects, signal }: CheckContext, id: number): Promise<boolean> {
  try {
    await objects.stat(`s3ql_data_${id}`, signal === undefined ? {} : { signal });
    return false;
  } catch (error) {
    if (error instanceof NoSuchObjectError) return true;
    // It is there; what is in it is for s3ql_verify to judge.
    if (error instanceof CorruptedObjectError) return false;
    throw error;
  }
}
