/** `s3ql remove-objects`: what it does around the removal. */
import type { Interaction } from '../util/interaction.ts';
import { askVisibly } from './ask-visibly.ts';
import { EXIT_OK } from './exit-codes.ts';
import { interruptible } from './interruptible.ts';
import { removeObjectsSpec, type RemoveObjectsOptions } from './options/remove-objects.ts';
import { openCommandOutput } from './output.ts';
import { parseCommand } from './parse-command.ts';
import { SecretReader } from './secret-reader.ts';
import { ensureCachedir, storageSettings, type StorageSettings } from './storage-settings.ts';

export interface RemoveObjectsRequest extends RemoveObjectsOptions {
  readonly storage: StorageSettings;
}

export interface RemoveObjectsInteraction extends Pick<Interaction, 'progress' | 'signal'> {
  /** Asks a question that is no secret. */
  readonly ask: (question: string) => Promise<string>;
}

export interface RemovedObjects {
  /** That there were. */
  readonly found: readonly string[];
  /** That there were not. */
  readonly missing: readonly string[];
}

/** The command. Returns its exit code. */
export async function runRemoveObjects(
  argv: readonly string[],
  removeObjects: (request: RemoveObjectsRequest, interaction: RemoveObjectsInteraction) => Promise<RemovedObjects>,
): Promise<number> {
  const options = parseCommand(removeObjectsSpec, argv);
  using output = await openCommandOutput(options, removeObjectsSpec.program);
  const secrets = new SecretReader();
  const storage = await storageSettings(options, secrets);
  ensureCachedir(storage.cachedir);
  const { dryRun } = options;
  const { found, missing } = await interruptible((signal) =>
    removeObjects({ ...options, storage }, { progress: output.progress, signal, ask: (question) => askVisibly(question, secrets, signal) }),
  );
  if (options.json) process.stdout.write(`${JSON.stringify({ dryRun, found, missing })}\n`);
  else {
    const names = dryRun ? found.map((key) => `would remove ${key}\n`).join('') : '';
    const verb = dryRun ? 'There are' : 'Removed';
    process.stdout.write(`${names}${verb} ${found.length} of ${found.length + missing.length} objects.\n`);
  }
  return EXIT_OK;
}
