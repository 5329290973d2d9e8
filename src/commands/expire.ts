/** `s3ql expire`. */
import { join } from 'node:path';
import { backupNameAt } from '../backup/backup-name.ts';
import { lockDirectory } from '../backup/directory-lock.ts';
import { type Expiry, expireBackups } from '../backup/expire-backups.ts';
import { expiryPolicy } from '../backup/expiry-policy.ts';
import { EXIT_INVALID_COMMAND_LINE, EXIT_OK } from '../cli/exit-codes.ts';
import { interruptible } from '../cli/interruptible.ts';
import { expireSpec, STATE_FILE_NAME } from '../cli/options/expire.ts';
import { openCommandOutput } from '../cli/output.ts';
import { parseCommand } from '../cli/parse-command.ts';
import { UserError } from '../util/errors.ts';

export async function run(argv: readonly string[]): Promise<number> {
  const options = parseCommand(expireSpec, argv);
  const policy = expiryPolicy(options.ages, options);
  if (policy === undefined) throw new UserError('what is to be kept: give ages, or --keep options', EXIT_INVALID_COMMAND_LINE);
  using output = await openCommandOutput(options, expireSpec.program);
  const directory = options.directory ?? process.cwd();
  using _lock = lockDirectory(directory);
  const { state: statePath = join(directory, STATE_FILE_NAME), dryRun } = options;
  const expiry = await interruptible((signal) =>
    expireBackups({ ...options, directory, policy, statePath, present: backupNameAt(new Date()) }, output.progress, signal),
  );
  process.stdout.write(options.json ? `${JSON.stringify({ dryRun, ...expiry })}\n` : expiryText(expiry, dryRun));
  return EXIT_OK;
}

function expiryText({ kept, removed }: Expiry, dryRun: boolean): string {
  if (!dryRun) return '';
  const lines = [...removed.map((name) => `remove ${name}`), ...kept.map(({ name, reason }) => `keep   ${name} (${reason})`).toReversed()];
  return lines.map((line) => `${line}\n`).join('');
}
