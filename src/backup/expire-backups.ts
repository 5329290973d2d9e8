/**
 * Decides which backups of a directory are not needed any more, and removes them.
 *
 * The newest backup is never removed, be it the one that came last or the one with the latest date. The ages are written before anything is
 * removed: whenever the process dies, the next run decides the same and goes on.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTree } from '../cli/remove-tree.ts';
import { UserError } from '../util/errors.ts';
import { logger } from '../util/log.ts';
import type { ProgressReporter } from '../util/progress.ts';
import { guessBackupAges, readBackupAges, updateBackupAges, writeBackupAges, type BackupAges } from './backup-ages.ts';
import { listBackups, type BackupName } from './backup-name.ts';
import { backupsToKeep, type CalendarPolicy } from './calendar-policy.ts';
import { agesToKeep } from './cycle-policy.ts';

export type ExpiryPolicy =
  | { readonly kind: 'cycles'; readonly boundaries: readonly number[] }
  | { readonly kind: 'calendar'; readonly keep: CalendarPolicy };

export interface ExpiryRequest {
  readonly directory: string;
  readonly policy: ExpiryPolicy;
  /** Where the ages are kept. */
  readonly statePath: string;
  /** Guess the ages from the dates if there is no state file. */
  readonly reconstructState: boolean;
  /** 0 to 1: rather than a larger share of the backups, nothing is removed. */
  readonly proportionDelete: number;
  /** Remove by the mount, which takes no time and works for immutable trees. */
  readonly useS3qlrm: boolean;
  /** Change nothing. */
  readonly dryRun: boolean;
  /** The name of a backup made now: later ones are dated in the future. */
  readonly present: BackupName;
}

export interface Expiry {
  /** Newest first. */
  readonly kept: ReadonlyArray<{ readonly name: BackupName; readonly reason: string }>;
  /** Oldest first. */
  readonly removed: readonly BackupName[];
}

const log = logger('expire');

/** @throws UserError; then nothing was removed, or only some of what had to be */
export async function expireBackups(request: ExpiryRequest, progress: ProgressReporter, signal: AbortSignal): Promise<Expiry> {
  const { directory, statePath, dryRun } = request;
  const names = await listBackups(directory);
  const ages = await currentAges(request, names);
  const reasons = reasonsToKeep(request, ages);
  const expiry: Expiry = {
    kept: names.toReversed().flatMap((name) => {
      const reason = reasons.get(name);
      return reason === undefined ? [] : [{ name, reason }];
    }),
    removed: names.filter((name) => !reasons.has(name)),
  };
  refuseTooMany(expiry, names.length, request.proportionDelete);
  if (dryRun) return expiry;

  await writeBackupAges(statePath, ages);
  if (expiry.removed.length === 0) return expiry;
  using step = progress.step('Removing backups', 'backups');
  for (const [index, name] of expiry.removed.entries()) {
    signal.throwIfAborted();
    log.info('Removing backup %s', name);
    await removeBackup(join(directory, name), request.useS3qlrm);
    step.update({ done: index + 1, total: expiry.removed.length });
  }
  await writeBackupAges(statePath, new Map([...ages].filter(([name]) => reasons.has(name))));
  return expiry;
}

async function currentAges({ statePath, policy, reconstructState }: ExpiryRequest, names: readonly BackupName[]): Promise<BackupAges> {
  const known = await readBackupAges(statePath);
  if (known !== undefined) return updateBackupAges(known, names);
  // The calendar does not ask for ages but of the newest.
  if (reconstructState || names.length <= 1 || policy.kind === 'calendar') return guessBackupAges(names);
  throw new UserError(
    `there are ${names.length} backups, but no state file ${statePath} that knows their ages: use --reconstruct-state to guess them from the dates`,
  );
}

/** By name, for those to be kept. */
function reasonsToKeep({ policy, present }: ExpiryRequest, ages: BackupAges): Map<BackupName, string> {
  const names = [...ages.keys()];
  const reasons = new Map<BackupName, string>();
  if (policy.kind === 'cycles') {
    const kept = agesToKeep([...ages.values()], policy.boundaries);
    for (const [name, age] of ages) if (kept.has(age)) reasons.set(name, `age ${age}`);
  } else {
    // A clock that was ahead must not make backups of the future push out all others.
    for (const name of names.filter((name) => name > present)) reasons.set(name, 'dated in the future');
    const kept = backupsToKeep(
      names.filter((name) => name <= present),
      policy.keep,
    );
    for (const [name, rules] of kept) reasons.set(name, rules.join(', '));
  }
  const newest = [...names.filter((name) => ages.get(name) === Math.min(...ages.values())), ...[...names].sort().slice(-1)];
  for (const name of newest) if (!reasons.has(name)) reasons.set(name, 'newest');
  return reasons;
}

function refuseTooMany({ removed }: Expiry, count: number, proportionDelete: number): void {
  if (removed.length <= count * proportionDelete) return;
  throw new UserError(
    `${removed.length} of ${count} backups would be removed, more than the share that --proportion-delete allows (${proportionDelete}): nothing was removed`,
  );
}

async function removeBackup(path: string, useS3qlrm: boolean): Promise<void> {
  if (useS3qlrm) return removeTree(path);
  try {
    await rm(path, { recursive: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const hint = code === 'EPERM' ? ': it is immutable; --use-s3qlrm removes such backups' : `: ${message}`;
    throw new UserError(`${path} cannot be removed${hint}`, 1, { cause: error });
  }
}
