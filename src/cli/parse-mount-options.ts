/**
 * The command line of mount.s3ql, as a person or mount(8) gives it: options in `-o`, with or without values, become the long options of the
 * same names; words that concern only fstab or mount(8) are dropped; those of the kernel are collected.
 */
import { UserError } from '../util/errors.ts';
import { KERNEL_MOUNT_FLAGS, mountSpec, type KernelMountFlag, type MountOptions } from './options/mount.ts';
import type { AnyOptionSpec } from './options/option.ts';
import { parseCommand } from './parse-command.ts';

const INVALID_COMMAND_LINE = 2;
const READ_ONLY_MOUNT = 35;

const FSTAB_WORDS: ReadonlySet<string> = new Set([
  'rw',
  'defaults',
  'auto',
  'noauto',
  'user',
  'nouser',
  'users',
  'owner',
  'group',
  'mand',
  'nomand',
  '_netdev',
  'nofail',
  'nobootwait',
]);
/** Comments and words of systemd, as in `x-systemd.automount`. */
const FOREIGN_WORD = /^(x-|X-|comment=)/;

/** @throws UserError (2, 35), InformationRequest */
export function parseMountOptions(argv: readonly string[]): MountOptions {
  const { fstabOptions, sloppy } = parseCommand(mountSpec, argv);
  const kernelFlags: KernelMountFlag[] = [];
  const extra: string[] = [];
  for (const word of fstabOptions.flatMap(splitWords)) {
    if (word === 'ro') throw new UserError('read-only mounts are not supported: remove "ro" from the mount options', READ_ONLY_MOUNT);
    const flag = KERNEL_MOUNT_FLAGS.find((known) => known === word);
    if (flag !== undefined) kernelFlags.push(flag);
    else if (!FSTAB_WORDS.has(word) && !FOREIGN_WORD.test(word)) extra.push(...longOption(word, sloppy));
  }
  const { fstabOptions: _fstabOptions, sloppy: _sloppy, noMtab: _noMtab, ...options } = parseCommand(mountSpec, [...extra, ...argv]);
  return checked({ ...options, kernelFlags });
}

/** Options that exclude or need each other. */
function checked(options: MountOptions): MountOptions {
  if (options.allowOther && options.allowRoot)
    throw new UserError('--allow-other and --allow-root exclude each other', INVALID_COMMAND_LINE);
  if (options.log?.kind === 'none' && !options.foreground && !options.systemd) {
    throw new UserError('--log none needs --fg or --systemd: a mount in the background must log somewhere', INVALID_COMMAND_LINE);
  }
  return options;
}

/** Words between commas; a comma inside double quotes does not count (as for mount(8)). */
function splitWords(text: string): string[] {
  const words = text.match(/(?:"[^"]*"|[^,"])+/g) ?? [];
  return words.map((word) => word.replaceAll('"', '').trim()).filter((word) => word !== '');
}

const LONG_OPTIONS: ReadonlyMap<string, AnyOptionSpec> = new Map(
  Object.values<AnyOptionSpec>(mountSpec.options).flatMap((option) => (option.long === undefined ? [] : [[option.long, option]])),
);

function longOption(word: string, sloppy: boolean): string[] {
  const equals = word.indexOf('=');
  const name = `--${equals < 0 ? word : word.slice(0, equals)}`;
  const option = LONG_OPTIONS.get(name);
  if (option === undefined) {
    if (sloppy) return [];
    throw new UserError(`unknown mount option '${word}'`, INVALID_COMMAND_LINE);
  }
  if ('value' in option) {
    if (equals < 0) throw new UserError(`mount option '${word}' needs a value, as in ${word}=<${option.value}>`, INVALID_COMMAND_LINE);
    return [`${name}=${word.slice(equals + 1)}`];
  }
  if (equals >= 0) throw new UserError(`mount option '${word.slice(0, equals)}' takes no value`, INVALID_COMMAND_LINE);
  return [name];
}
