/** objects.phys_size is what the object takes in the store. */
import { CorruptedObjectError } from '../../backends/errors.ts';
import type { Check } from '../check.ts';

export const storedSizes: Check = {
  name: 'wrong stored sizes',
  async run({ database, listing, objects, findings, signal }) {
    const wrong: Array<{ id: number; recorded: number; stored: number | undefined }> = [];
    for (const [id, size] of database.iterate<[bigint, bigint]>('SELECT id, phys_size FROM objects')) {
      const stored = listing.sizeOf(Number(id));
      if (size < 0n || (stored !== undefined && stored !== Number(size))) wrong.push({ id: Number(id), recorded: Number(size), stored });
    }
    for (const { id, recorded, stored } of wrong) {
      const size = stored ?? (await statSize(id));
      if (size === undefined) continue;
      database.run('UPDATE objects SET phys_size = CAST(? AS INTEGER) WHERE id = ?', size, id);
      findings.repaired(this.name, `Object ${id} takes ${size} bytes in the store, not ${recorded}`);
    }

    async function statSize(id: number): Promise<number | undefined> {
      try {
        return (await objects.stat(`s3ql_data_${id}`, signal === undefined ? {} : { signal })).storedSizeBytes;
      } catch (error) {
        if (error instanceof CorruptedObjectError) return undefined;
        throw error;
      }
    }
  },
};
