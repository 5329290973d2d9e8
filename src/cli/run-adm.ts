/** s3qladm: what it does around its actions. */
import type { CompressionSpec } from '../envelope/compression-spec.ts';
import type { Interaction } from '../util/interaction.ts';
import { UserError } from '../util/errors.ts';
import { askVisibly } from './ask-visibly.ts';
import { EXIT_INVALID_COMMAND_LINE, EXIT_OK } from './exit-codes.ts';
import { type AdminActionName, type AdmOptions, admSpec } from './options/adm.ts';
import { DEFAULT_COMPRESSION } from './options/mount.ts';
import { openOutput } from './output.ts';
import { parseCommand } from './parse-command.ts';
import { InterruptedError } from './report-error.ts';
import { abortOnInterrupt } from './run-mkfs.ts';
import { SecretReader } from './secret-reader.ts';
import { NO_OUTSIDE_SECRETS } from './secret-sources.ts';
import { ensureCachedir, type SettingSources, storageSettings, type StorageSettings } from './storage-settings.ts';

export type { AdminActionName } from './options/adm.ts';

export interface AdminRequest extends AdmOptions {
  readonly compress: CompressionSpec;
  readonly storage: StorageSettings;
  /** Of `--to`. */
  readonly target: StorageSettings | undefined;
}

export interface AdminInteraction extends Interaction {
  /** Asks a question that is no secret. */
  readonly ask: (question: string) => Promise<string>;
  /** Shows what a question is about. */
  readonly print: (text: string) => void;
}

/** What an action says in the end: to people, or to programs. */
export interface AdminResult {
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}

export type AdminAction = (request: AdminRequest, interaction: AdminInteraction) => Promise<AdminResult>;

/** What can be done to a file system that another machine still seems to use. */
const TAKING_OVER: ReadonlySet<AdminActionName> = new Set(['passphrase', 'recover-key', 'restore-metadata', 'clear']);

/** What the environment says is meant for the file system itself. */
const TARGET_SOURCES: SettingSources = { outside: NO_OUTSIDE_SECRETS };

/** The command. Returns its exit code. */
export async function runAdm(argv: readonly string[], actions: Readonly<Record<AdminActionName, AdminAction>>): Promise<number> {
  const options = parseCommand(admSpec, argv);
  if ((options.action === 'clone') !== (options.to !== undefined)) {
    throw new UserError('"clone", and nothing else, needs --to', EXIT_INVALID_COMMAND_LINE);
  }
  if (options.generation !== undefined && options.action !== 'restore-metadata') {
    throw new UserError('--generation is for "restore-metadata"', EXIT_INVALID_COMMAND_LINE);
  }
  if (options.takeOver && !TAKING_OVER.has(options.action)) {
    throw new UserError(`--take-over is not for "${options.action}"`, EXIT_INVALID_COMMAND_LINE);
  }
  using output = openOutput(options);
  const secrets = new SecretReader();
  const storage = await storageSettings(options, secrets);
  const target =
    options.to === undefined ? undefined : await storageSettings({ ...options, storageUrl: options.to }, secrets, TARGET_SOURCES);
  ensureCachedir(storage.cachedir);
  using interrupt = abortOnInterrupt();
  const { signal } = interrupt;
  try {
    const result = await actions[options.action](
      { ...options, storage, target, compress: storage.compress ?? DEFAULT_COMPRESSION },
      {
        progress: output.progress,
        signal,
        askSecret: (question) => secrets.ask(question, signal),
        ask: (question) => askVisibly(question, secrets, signal),
        print: (text) => void process.stderr.write(text),
      },
    );
    process.stdout.write(options.json ? `${JSON.stringify(result.json)}\n` : result.text);
    return EXIT_OK;
  } catch (error) {
    throw signal.aborted ? new InterruptedError({ cause: error }) : error;
  }
}
