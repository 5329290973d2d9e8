/** fsck.s3ql: what it does around the check itself. */
import { join } from 'node:path';
import type { CompressionSpec } from '../envelope/compression-spec.ts';
import type { Interaction } from '../util/interaction.ts';
import { EXIT_ERRORS_FOUND, EXIT_OK, EXIT_UNCORRECTABLE } from './exit-codes.ts';
import { fsckSpec, type FsckOptions } from './options/fsck.ts';
import { DEFAULT_COMPRESSION } from './options/mount.ts';
import { openLog, openOutput } from './output.ts';
import { parseCommand } from './parse-command.ts';
import { InterruptedError } from './report-error.ts';
import { abortOnInterrupt } from './run-mkfs.ts';
import { SecretReader } from './secret-reader.ts';
import { ensureCachedir, storageSettings, type StorageSettings } from './storage-settings.ts';
import { askVisibly } from './ask-visibly.ts';

export interface CheckRequest extends FsckOptions {
  readonly compress: CompressionSpec;
  readonly storage: StorageSettings;
}

export type CheckResult =
  | { readonly state: 'clean'; readonly lastFsckSeconds: number }
  | {
      readonly state: 'checked';
      /** By kind of damage. */
      readonly counts: Readonly<Record<string, number>>;
      readonly findingCount: number;
      readonly uncorrectableCount: number;
    };

export type CheckFileSystem = (
  request: CheckRequest,
  interaction: Interaction & { readonly ask: (question: string) => Promise<string> },
) => Promise<CheckResult>;

/** The command. Returns its exit code. */
export async function runFsck(argv: readonly string[], checkFileSystem: CheckFileSystem): Promise<number> {
  const options = parseCommand(fsckSpec, argv);
  using output = openOutput(options);
  const secrets = new SecretReader();
  const storage = await storageSettings(options, secrets);
  ensureCachedir(storage.cachedir);
  using _log = await openLog(options.log ?? { kind: 'file', path: join(storage.cachedir, 'fsck.log') }, fsckSpec.program);
  using interrupt = abortOnInterrupt();
  const { signal } = interrupt;
  try {
    const result = await checkFileSystem(
      { ...options, storage, compress: storage.compress ?? DEFAULT_COMPRESSION },
      {
        progress: output.progress,
        signal,
        askSecret: (question) => secrets.ask(question, signal),
        ask: (question) => askVisibly(question, secrets, signal),
      },
    );
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : resultText(result));
    return exitCodeOf(result);
  } catch (error) {
    throw signal.aborted ? new InterruptedError({ cause: error }) : error;
  }
}

function exitCodeOf(result: CheckResult): number {
  if (result.state === 'clean' || result.findingCount === 0) return EXIT_OK;
  return result.uncorrectableCount > 0 ? EXIT_ERRORS_FOUND + EXIT_UNCORRECTABLE : EXIT_ERRORS_FOUND;
}

function resultText(result: CheckResult): string {
  if (result.state === 'clean') {
    const days = Math.max(0, Math.floor((Date.now() / 1000 - result.lastFsckSeconds) / 86_400));
    return `The file system is clean, and was checked ${days} days ago: use --force to check it nevertheless.\n`;
  }
  if (result.findingCount === 0) return 'No errors found.\n';
  const lines = Object.entries(result.counts).map(([kind, count]) => `  ${String(count).padStart(6)}  ${kind}\n`);
  const left = result.uncorrectableCount;
  const end = left === 0 ? 'All of them have been repaired.\n' : `${left} of them could not be repaired.\n`;
  return `Errors found: ${result.findingCount}\n${lines.join('')}${end}`;
}
