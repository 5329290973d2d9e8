/** s3qladm: arguments and options. */
import { InvalidValueError, type CommandSpec } from './option.ts';
import { outputOptions, storageOptions, type OutputOptions, type StorageOptions, type StorageUrlArgument } from './shared.ts';
import { integer, text } from './values.ts';

export const ADMIN_ACTION_NAMES = [
  'passphrase',
  'recover-key',
  'clear',
  'shrink-db',
  'upgrade',
  'restore-metadata',
  'info',
  'clone',
] as const;
export type AdminActionName = (typeof ADMIN_ACTION_NAMES)[number];

interface AdmArguments extends StorageUrlArgument {
  readonly action: AdminActionName;
}

interface AdmOwnOptions {
  /** Undefined: ask. */
  readonly generation: number | undefined;
  /** Storage URL. */
  readonly to: string | undefined;
  /** Go on although another machine seems to use the file system. */
  readonly takeOver: boolean;
}

export interface AdmOptions extends AdmArguments, StorageOptions, OutputOptions, AdmOwnOptions {}

export const admSpec: CommandSpec<AdmArguments, AdmOwnOptions & StorageOptions & OutputOptions> = {
  name: 'adm',
  program: 's3qladm',
  summary: 'Look after a file system that is not mounted',
  description: [
    '"passphrase" changes the passphrase; data is not encrypted anew. "recover-key" sets a new passphrase with the master key that mkfs.s3ql printed, even if the objects that hold the key are lost.',
    '"info" shows what a file system is and which generations of its metadata there are. "restore-metadata" goes back to one of them, on this machine; fsck.s3ql then makes the file system fit.',
    '"clone" copies a file system to another storage URL, reads everything back and compares; started again, it goes on where it was interrupted. "clear" deletes a file system with all its data, after a question.',
    '"shrink-db" makes the metadata as small as it can be. "upgrade" says what a file system of another revision needs.',
  ],
  arguments: {
    action: { name: 'action', description: 'What to do', parse: actionName, choices: ADMIN_ACTION_NAMES },
    storageUrl: { name: 'storage-url', description: 'Where the file system lives', parse: text },
  },
  options: {
    generation: {
      long: '--generation',
      value: 'number',
      parse: integer(0),
      initial: undefined,
      fallback: 'ask',
      description: 'For "restore-metadata": the generation to go back to, as "info" lists them',
    },
    to: {
      long: '--to',
      value: 'storage-url',
      parse: text,
      initial: undefined,
      description: 'For "clone": where to copy the file system to',
    },
    takeOver: {
      long: '--take-over',
      description:
        'For "passphrase", "recover-key", "restore-metadata" and "clear": go on although another machine seems to use the file system. Only if that machine is lost',
    },
    ...storageOptions,
    ...outputOptions,
  },
};

function actionName(value: string): AdminActionName {
  const found = ADMIN_ACTION_NAMES.find((name) => name === value);
  if (found === undefined) throw new InvalidValueError(`expected one of ${ADMIN_ACTION_NAMES.join(', ')}`);
  return found;
}
