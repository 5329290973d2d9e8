/**
 * The store has no objects that the metadata does not know. Those are deleted only if this metadata handed out their ids: ids are never
 * reused, so a newer one proves that the metadata is older than the store, and that newer metadata may want the object. Such objects are
 * kept (kept-objects.ts remembers them) unless their deletion is asked for.
 */
import { logger } from '../../util/log.ts';
import type { Check, CheckContext } from '../check.ts';
import { isKept, keptRanges, setKeptRanges } from '../kept-objects.ts';

const log = logger('fsck');

export const unknownObjects: Check = {
  name: 'objects that nothing refers to',
  run(context) {
    const { database, tree, listing, findings, removals, lastHandedOutId, deleteOrphans } = context;
    const kept = keptRanges(database);
    let keptCount = 0;
    for (const id of listing.without(knownIds(context))) {
      if (removals.has(id)) continue;
      if (deleteOrphans || (id <= lastHandedOutId && !isKept(kept, id))) {
        removals.add(id);
        findings.repaired(this.name, `Nothing refers to object ${id}: deleted`);
        continue;
      }
      keptCount += 1;
      if (id > lastHandedOutId) findings.repaired(this.name, `Object ${id} is newer than this metadata: kept`);
    }
    if (keptCount > 0) log.info('%d objects newer than the metadata are kept in the store; --delete-orphans deletes them.', keptCount);
    else if (kept.length > 0) setKeptRanges(database, tree, []);
  },
};

function* knownIds({ database }: CheckContext): Generator<number> {
  for (const [id] of database.iterate<[bigint]>('SELECT id FROM objects ORDER BY id')) yield Number(id);
}
