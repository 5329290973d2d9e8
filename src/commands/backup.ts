/** `s3ql backup`. */
import { join } from 'node:path';
import type { BackupName } from '../backup/backup-name.ts';
import { lockDirectory } from '../backup/directory-lock.ts';
import { expireBackups, type Expiry } from '../backup/expire-backups.ts';
import { expiryPolicy } from '../backup/expiry-policy.ts';
import { makeBackup } from '../backup/make-backup.ts';
import { ControlFile } from '../cli/control-file.ts';
import { EXIT_OK } from '../cli/exit-codes.ts';
import { interruptible } from '../cli/interruptible.ts';
import { backupSpec, type BackupOptions } from '../cli/options/backup.ts';
import { STATE_FILE_NAME } from '../cli/options/expire.ts';
import { openCommandOutput, type Output } from '../cli/output.ts';
import { parseCommand } from '../cli/parse-command.ts';
import { UserError } from '../util/errors.ts';

/** A run removes what one backup more makes superfluous; if it is more than that, something is wrong. */
const PROPORTION_DELETE = 0.5;

export async function run(argv: readonly string[]): Promise<number> {
  const options = parseCommand(backupSpec, argv);
  // Before anything is copied: the options must make sense.
  expiryPolicy(options.expire, options);
  using output = await openCommandOutput(options, backupSpec.program);
  await ControlFile.find(options.directory);
  using lock = lockDirectory(options.directory);
  return await interruptible((signal) => backUp(options, lock.fd, output, signal));
}

async function backUp(options: BackupOptions, lockFd: number, { progress }: Output, signal: AbortSignal): Promise<number> {
  const { directory, source, exclude, excludeFrom, rsyncOption, crossFileSystems, writable, keepGoing } = options;
  const made = await makeBackup(
    {
      source,
      directory,
      lockFd,
      rsyncArguments: [
        ...exclude.map((pattern) => `--exclude=${pattern}`),
        ...excludeFrom.map((file) => `--exclude-from=${file}`),
        ...rsyncOption,
      ],
      oneFileSystem: !crossFileSystems,
      immutable: !writable,
      keepGoing,
    },
    progress,
    signal,
  );
  const path = join(directory, made.name);
  if (!options.json) process.stdout.write(`${path}\n`);
  const expiry = await expire(options, made.name, progress, signal);
  if (options.json) process.stdout.write(`${JSON.stringify({ path, ...made, ...(expiry && { removed: expiry.removed }) })}\n`);
  if (!made.complete) throw new UserError(`the backup ${path} was made, but some files could not be read and are not up to date in it`);
  return EXIT_OK;
}

async function expire(
  options: BackupOptions,
  present: BackupName,
  progress: Output['progress'],
  signal: AbortSignal,
): Promise<Expiry | undefined> {
  const policy = expiryPolicy(options.expire, options);
  if (policy === undefined) return undefined;
  const { directory } = options;
  const request = { directory, policy, statePath: join(directory, STATE_FILE_NAME), present };
  return expireBackups(
    { ...request, reconstructState: false, proportionDelete: PROPORTION_DELETE, useS3qlrm: true, dryRun: false },
    progress,
    signal,
  );
}
