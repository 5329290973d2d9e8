/** Looks for every object that the metadata knows in the store, or reads each in full and compares it with its digest and length. */
import { CorruptedObjectError, NoSuchObjectError } from '../backends/errors.ts';
import type { ObjectId } from '../metadata/types.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { UserError } from '../util/errors.ts';
import { forEachLimit } from '../util/for-each-limit.ts';
import type { ProgressReporter } from '../util/progress.ts';
import { CheckDatabase } from './check-database.ts';

export interface VerifyOptions {
  readonly databasePath: string;
  readonly objects: Pick<ObjectStore, 'get' | 'stat'>;
  readonly blockSizeBytes: number;
  /** Read the objects' contents; else only look whether they are there. */
  readonly data: boolean;
  /** So many objects, in the order of their ids, are left out. */
  readonly startWith: number;
  /** Share of the objects that is looked at, 0 to 1. */
  readonly sample: number;
  readonly random: () => number;
  readonly concurrency: number;
  readonly onMissing: (key: string, id: ObjectId) => void;
  readonly onCorrupted: (key: string, id: ObjectId, problem: string) => void;
  readonly progress: ProgressReporter;
  readonly signal: AbortSignal;
}

export interface VerifyResult {
  readonly verifiedCount: number;
  readonly missingCount: number;
  readonly corruptedCount: number;
}

type ObjectRow = [id: bigint, hash: Uint8Array | null, length: bigint];
const PAGE_ROWS = 10_000;

/** @throws UserError if the metadata does not know what an object should be */
export async function verifyObjects(options: VerifyOptions): Promise<VerifyResult> {
  const { data, startWith, concurrency, progress, signal } = options;
  using database = new CheckDatabase(options.databasePath);
  const [count, unknown, bytesTotal] = database.row<[bigint, bigint, bigint]>(
    'SELECT count(*), count(*) - count(hash), coalesce(sum(length), 0) FROM objects',
  ) ?? [0n, 0n, 0n];
  if (unknown > 0n) throw new UserError(`The metadata does not know what ${unknown} objects should be: run fsck.s3ql first.`);
  let verifiedCount = 0;
  let missingCount = 0;
  let corruptedCount = 0;
  let done = startWith;
  let bytesDone = 0;
  using step = progress.step(data ? 'Verifying objects' : 'Looking for objects', 'objects');
  await forEachLimit(
    objectsFrom(database, startWith),
    concurrency,
    async (row) => {
      if (options.sample >= 1 || options.random() < options.sample) {
        const key = `s3ql_data_${row[0]}`;
        const verdict = await verify(options, key, row);
        verifiedCount += 1;
        if (verdict === 'missing') {
          missingCount += 1;
          options.onMissing(key, Number(row[0]) as ObjectId);
        } else if (verdict !== undefined) {
          corruptedCount += 1;
          options.onCorrupted(key, Number(row[0]) as ObjectId, verdict.problem);
        }
      }
      done += 1;
      bytesDone += Number(row[2]);
      step.update({ done, total: Number(count), ...(data ? { bytesDone, bytesTotal: Number(bytesTotal) } : {}) });
    },
    signal,
  );
  return { verifiedCount, missingCount, corruptedCount };
}

/** Page by page, so that no statement stays open while the store is asked. */
function* objectsFrom(database: CheckDatabase, skipped: number): Generator<ObjectRow> {
  const before = database.row<[bigint]>('SELECT id FROM objects ORDER BY id LIMIT 1 OFFSET ?', Math.max(0, skipped - 1))?.[0];
  if (before === undefined) return;
  let last: bigint = skipped === 0 ? before - 1n : before;
  for (;;) {
    const page: ObjectRow[] = database.rows(`SELECT id, hash, length FROM objects WHERE id > ? ORDER BY id LIMIT ${PAGE_ROWS}`, last);
    yield* page;
    const end = page.at(-1);
    if (end === undefined) return;
    last = end[0];
  }
}

async function verify(
  { objects, data, blockSizeBytes, signal }: VerifyOptions,
  key: string,
  [, hash, length]: ObjectRow,
): Promise<'missing' | { readonly problem: string } | undefined> {
  try {
    if (!data) {
      await objects.stat(key, { signal });
      return undefined;
    }
    const expected = hash === null ? {} : { expectedDigest: hash };
    const bytes = await objects.get(key, { ...expected, maxSizeBytes: blockSizeBytes, signal });
    return BigInt(bytes.length) === length ? undefined : { problem: `it has ${bytes.length} bytes instead of ${length}` };
  } catch (error) {
    if (error instanceof NoSuchObjectError) return 'missing';
    if (error instanceof CorruptedObjectError) return { problem: error.message };
    throw error;
  }
}
