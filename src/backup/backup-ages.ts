/**
 * How many backups were made since each backup (its age in cycles), kept in a small file beside them, in S3QL's format: a mapping of names
 * to ages. Ages follow the order in which backups appear, not the dates in their names: a clock that was wrong does no harm.
 */
import { readFile } from 'node:fs/promises';
import { BasicMappingError, parseBasicMapping, writeBasicMapping } from '../util/basic-mapping.ts';
import { UserError } from '../util/errors.ts';
import { replaceFile } from '../util/replace-file.ts';
import { type BackupName, timeOfBackupName } from './backup-name.ts';

export type BackupAges = ReadonlyMap<BackupName, number>;

/** Undefined if there is no such file. @throws UserError */
export async function readBackupAges(path: string): Promise<BackupAges | undefined> {
  const text = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new UserError(`the state file ${path} cannot be read: ${error.message}`, 1, { cause: error });
  });
  if (text === undefined) return undefined;
  try {
    const ages = new Map<BackupName, number>();
    for (const [name, age] of Object.entries(parseBasicMapping(text))) {
      if (typeof age !== 'number' || age < 0) throw new BasicMappingError(`'${name}' has no age`);
      ages.set(name, age);
    }
    return ages;
  } catch (error) {
    if (!(error instanceof BasicMappingError)) throw error;
    throw new UserError(`the state file ${path} is damaged (${error.message}): remove it and use --reconstruct-state`, 1, { cause: error });
  }
}

/** @throws UserError */
export async function writeBackupAges(path: string, ages: BackupAges): Promise<void> {
  try {
    await replaceFile(path, writeBasicMapping(Object.fromEntries(ages)));
  } catch (error) {
    throw new UserError(`the state file ${path} cannot be written: ${(error as Error).message}`, 1, { cause: error });
  }
}

/** The ages of the backups there are: each one that is new makes all others a cycle older. What is gone is forgotten. */
export function updateBackupAges(known: BackupAges, names: readonly BackupName[]): BackupAges {
  const arrived = names.filter((name) => !known.has(name)).sort();
  const ages = new Map<BackupName, number>();
  for (const name of names) {
    const age = known.get(name);
    ages.set(name, age === undefined ? arrived.length - 1 - arrived.indexOf(name) : age + arrived.length);
  }
  return ages;
}

/** A guess from the dates alone: the usual distance between two backups is a cycle. */
export function guessBackupAges(names: readonly BackupName[]): BackupAges {
  const newestFirst = [...names].sort().toReversed();
  const times = newestFirst.map((name) => timeOfBackupName(name) ?? 0);
  const gaps = times.slice(1).map((time, index) => (times[index] ?? 0) - time);
  const cycle = [...gaps].sort((one, other) => one - other)[Math.floor(gaps.length / 2)] ?? 1;
  const ages = new Map<BackupName, number>();
  let age = 0;
  newestFirst.forEach((name, index) => {
    if (index > 0) age += Math.max(1, Math.round((gaps[index - 1] ?? 0) / cycle));
    ages.set(name, age);
  });
  return ages;
}
