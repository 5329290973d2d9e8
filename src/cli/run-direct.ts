/** What the commands that work on files without a mount (`s3ql ls`, `cat`, `get`, `put`, `find`, `du`) do around their work. */
import type { CompressionSpec } from '../envelope/compression-spec.ts';
import { UserError } from '../util/errors.ts';
import type { Interaction } from '../util/interaction.ts';
import { EXIT_ERROR, EXIT_INVALID_COMMAND_LINE, EXIT_OK } from './exit-codes.ts';
import { formatBytes } from './format.ts';
import { type LocationOptions, parseLocation, type ReadingOptions } from './options/location.ts';
import { DEFAULT_COMPRESSION } from './options/mount.ts';
import { InvalidValueError } from './options/option.ts';
import type { LogOptions, OutputOptions, StorageOptions } from './options/shared.ts';
import { openCommandOutput } from './output.ts';
import { InterruptedError } from './report-error.ts';
import { abortOnInterrupt } from './run-mkfs.ts';
import { SecretReader } from './secret-reader.ts';
import { ensureCachedir, storageSettings, type StorageSettings } from './storage-settings.ts';

export type DirectOptions = LocationOptions & Partial<ReadingOptions> & StorageOptions & LogOptions & OutputOptions;

/** The file system that a command works on. */
export interface DirectRequest {
  readonly storage: StorageSettings;
  readonly compress: CompressionSpec;
  /** A directory with what a mount here had, to be read instead of what the store has. */
  readonly setAside: string | undefined;
}

/** The one storage URL and the paths that the arguments name. @throws UserError (2) */
export function locationsOf(values: readonly string[], storageUrl: string | undefined): { storageUrl: string; paths: string[] } {
  try {
    const locations = values.map((value) => parseLocation(value, storageUrl));
    const [first] = locations;
    if (first === undefined || locations.some((location) => location.storageUrl !== first.storageUrl)) {
      throw new UserError('all paths must be in one file system', EXIT_INVALID_COMMAND_LINE);
    }
    return { storageUrl: first.storageUrl, paths: locations.map(({ path }) => path) };
  } catch (error) {
    if (error instanceof InvalidValueError) throw new UserError(error.message, EXIT_INVALID_COMMAND_LINE, { cause: error });
    throw error;
  }
}

/** Runs the action on the file system at the URL; returns what it returns. `compress`: how new data is to be compressed. */
export async function runDirect(
  program: string,
  options: DirectOptions & { readonly compress?: CompressionSpec | undefined },
  storageUrl: string,
  action: (request: DirectRequest, interaction: Interaction) => Promise<number>,
): Promise<number> {
  using output = await openCommandOutput({ ...options, terse: true }, program);
  const secrets = new SecretReader();
  const storage = await storageSettings({ ...options, storageUrl }, secrets);
  ensureCachedir(storage.cachedir);
  using interrupt = abortOnInterrupt();
  const { signal } = interrupt;
  try {
    return await action(
      { storage, compress: options.compress ?? storage.compress ?? DEFAULT_COMPRESSION, setAside: options.setAside },
      { progress: output.progress, signal, askSecret: (question) => secrets.ask(question, signal) },
    );
  } catch (error) {
    throw signal.aborted ? new InterruptedError({ cause: error }) : error;
  }
}

/** Of a list of paths the last says where to. @throws UserError (2) */
export function sourcesAndTarget(paths: readonly string[]): { sources: readonly string[]; target: string } {
  const target = paths.at(-1);
  if (target === undefined || paths.length < 2) {
    throw new UserError('at least two paths are needed: what to copy, and where to', EXIT_INVALID_COMMAND_LINE);
  }
  return { sources: paths.slice(0, -1), target };
}

/** What a copying command did. */
export interface CopySummary {
  /** Files of every kind but directories; further links of a file count too. */
  readonly fileCount: number;
  readonly directoryCount: number;
  /** Of contents; holes are not copied. */
  readonly bytes: number;
  readonly failedCount: number;
}

/** Prints it; returns the exit code. */
export function showCopied(summary: CopySummary, { json, quiet }: Pick<OutputOptions, 'json' | 'quiet'>): number {
  const { fileCount, directoryCount, bytes, failedCount } = summary;
  const failures = failedCount > 0 ? `, ${failedCount} failed` : '';
  if (json) process.stdout.write(`${JSON.stringify(summary)}\n`);
  else if (!quiet) process.stdout.write(`Copied ${fileCount} files and ${directoryCount} directories, ${formatBytes(bytes)}${failures}.\n`);
  return failedCount > 0 ? EXIT_ERROR : EXIT_OK;
}
