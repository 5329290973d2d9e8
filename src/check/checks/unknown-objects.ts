/**
 * The store has no objects that the metadata does not know. Those are deleted only if this metadata handed out their ids: ids are never
 * reused, so a newer one proves that the metadata is older than the store, and that newer metadata may want the object. Such ids are kept,
 * never handed out again, and noted with lost+found, so that they are not taken for garbage the next time.
 */
import type { ObjectId } from '../../metadata/types.ts';
import { logger } from '../../util/log.ts';
import type { Check, CheckContext } from '../check.ts';

/** Extended attribute of lost+found: ranges of ids, as in `17-40,99-99`, whose objects are not this metadata's. */
const KEPT_NOTE = 'user.s3ql_kept_objects';

const log = logger('fsck');

interface IdRange {
  readonly first: number;
  readonly last: number;
}

export const unknownObjects: Check = {
  name: 'objects that nothing refers to',
  run(context) {
    const { listing, lostAndFound, findings, removals, lastHandedOutId, deleteOrphans } = context;
    const keptBefore = parseRanges(lostAndFound.note(KEPT_NOTE) ?? '');
    const newer: number[] = [];
    const known: number[] = [];
    for (const id of listing.without(knownIds(context))) {
      if (removals.has(id)) continue;
      if (deleteOrphans || (id <= lastHandedOutId && !contains(keptBefore, id))) {
        removals.add(id);
        findings.repaired(this.name, `Nothing refers to object ${id}: deleted`);
      } else if (contains(keptBefore, id)) known.push(id);
      else newer.push(id);
    }
    for (const id of newer) {
      findings.repaired(this.name, `Object ${id} is newer than this metadata: kept (--delete-orphans deletes it)`);
    }
    if (known.length > 0) {
      log.info('%d objects that are newer than the metadata are kept in the store; --delete-orphans deletes them.', known.length);
    }
    if (newer.length > 0 || (keptBefore.length > 0 && known.length === 0)) {
      const ranges = [...(known.length > 0 ? keptBefore : []), ...(newer.length > 0 ? [rangeOf(newer)] : [])];
      lostAndFound.setNote(KEPT_NOTE, ranges.length === 0 ? undefined : ranges.map(({ first, last }) => `${first}-${last}`).join(','));
    }
  },
};

function* knownIds({ database }: CheckContext): Generator<number> {
  for (const [id] of database.iterate<[bigint]>('SELECT id FROM objects ORDER BY id')) yield Number(id);
}

function rangeOf(ids: readonly number[]): IdRange {
  return { first: ids[0] as ObjectId, last: ids.at(-1) as ObjectId };
}

function contains(ranges: readonly IdRange[], id: number): boolean {
  return ranges.some(({ first, last }) => id >= first && id <= last);
}

function parseRanges(text: string): IdRange[] {
  return text.split(',').flatMap((part) => {
    const [, first, last] = /^(\d{1,16})-(\d{1,16})$/.exec(part) ?? [];
    return first === undefined ? [] : [{ first: Number(first), last: Number(last) }];
  });
}
