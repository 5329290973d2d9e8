/** mkfs.s3ql: what it does around the making of the file system itself. */
import type { Interaction } from '../util/interaction.ts';
import { EXIT_OK } from './exit-codes.ts';
import { mkfsSpec, type MkfsOptions } from './options/mkfs.ts';
import { openOutput } from './output.ts';
import { parseCommand } from './parse-command.ts';
import { InterruptedError } from './report-error.ts';
import { SecretReader } from './secret-reader.ts';
import { ensureCachedir, storageSettings, type StorageSettings } from './storage-settings.ts';

export interface MkfsRequest extends MkfsOptions {
  /** Its fsPassphrase is never the authfile's: a mistake there would be found when it is too late. */
  readonly storage: StorageSettings;
}

export interface MadeFileSystem {
  /** 32 bytes; absent if the file system is not encrypted. */
  readonly masterKey?: Uint8Array;
}

export type MakeFileSystem = (request: MkfsRequest, interaction: Interaction) => Promise<MadeFileSystem>;

/** The command. Returns its exit code. */
export async function runMkfs(argv: readonly string[], makeFileSystem: MakeFileSystem): Promise<number> {
  const options = parseCommand(mkfsSpec, argv);
  using output = openOutput(options);
  const secrets = new SecretReader();
  const storage = await storageSettings(options, secrets, { newFileSystem: true });
  ensureCachedir(storage.cachedir);
  const { signal, [Symbol.dispose]: ignoreInterrupts } = abortOnInterrupt();
  try {
    const made = await makeFileSystem(
      { ...options, storage },
      { progress: output.progress, signal, askSecret: (question) => secrets.ask(question, signal) },
    );
    const { url } = storage.backend;
    process.stdout.write(options.json ? madeJson(url, options.label, made) : madeText(made));
    return EXIT_OK;
  } catch (error) {
    throw signal.aborted ? new InterruptedError({ cause: error }) : error;
  } finally {
    ignoreInterrupts();
  }
}

/** The master key as it is to be kept and typed in again: base64 in eleven groups of four. */
export function masterKeyGroups(masterKey: Uint8Array): string {
  return (Buffer.from(masterKey).toString('base64').match(/.{4}/g) ?? []).join(' ');
}

function madeText({ masterKey }: MadeFileSystem): string {
  if (masterKey === undefined) return '';
  return [
    'Keep this master key in a safe place. With it the file system can be read even if the passphrase,',
    'or the object that holds the encrypted key, is lost (see s3qladm recover-key):',
    '---BEGIN MASTER KEY---',
    masterKeyGroups(masterKey),
    '---END MASTER KEY---',
    '',
  ].join('\n');
}

function madeJson(storageUrl: string, label: string, { masterKey }: MadeFileSystem): string {
  return `${JSON.stringify({ storageUrl, label, masterKey: masterKey && masterKeyGroups(masterKey) })}\n`;
}

/** Lets work be given up in good order by Ctrl-C or SIGTERM, until disposed. */
export function abortOnInterrupt(): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  process.on('SIGINT', abort);
  process.on('SIGTERM', abort);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      process.off('SIGINT', abort);
      process.off('SIGTERM', abort);
    },
  };
}
