/** What a check is, and what it works with. */
import type { ObjectId } from '../metadata/types.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { ProgressReporter } from '../util/progress.ts';
import type { CheckDatabase } from './check-database.ts';
import type { Findings } from './findings.ts';
import type { LostAndFound } from './lost-and-found.ts';
import type { ObjectListing } from './object-listing.ts';
import type { Tree } from './tree.ts';

export interface CheckContext {
  readonly database: CheckDatabase;
  readonly tree: Tree;
  readonly lostAndFound: LostAndFound;
  readonly findings: Findings;
  readonly objects: Pick<ObjectStore, 'get' | 'stat'>;
  /** The data objects in the store. */
  readonly listing: ObjectListing;
  /** The largest object id that the metadata had handed out when the check began. */
  readonly lastHandedOutId: number;
  readonly blockSizeBytes: number;
  /** The file system was in use when its metadata was written: files may be deleted but still open, which is no damage. */
  readonly wasMounted: boolean;
  /** Delete also objects that newer metadata than this may refer to. */
  readonly deleteOrphans: boolean;
  readonly connectionLimit: number;
  /** Objects to be deleted from the store once a generation of the metadata without them is there. */
  readonly removals: Set<ObjectId>;
  readonly progress: ProgressReporter;
  readonly signal: AbortSignal | undefined;
}

/** One invariant: finds what breaks it, reports and repairs that. Runs in the open transaction; the checks before it have run. */
export interface Check {
  /** For reports: what was wrong, in the plural. */
  readonly name: string;
  run(context: CheckContext): void | Promise<void>;
}
