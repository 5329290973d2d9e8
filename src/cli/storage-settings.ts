/**
 * Where a file system is stored and how it is reached: the command line, completed by the authfile's settings for the storage URL, by defaults,
 * and, for credentials that are nowhere to be found (secret-sources.ts), by the person.
 */
import { readAuthinfo2 } from '../backends/authinfo2.ts';
import type { BackendSpec } from '../backends/backend-factory.ts';
import { backendFactoryFor, backendSpec, canonicalStorageUrl } from '../backends/open-backend.ts';
import type { CompressionSpec } from '../envelope/compression-spec.ts';
import { UserError } from '../util/errors.ts';
import { makeDirectories } from '../util/make-directories.ts';
import { EXIT_CACHEDIR, EXIT_INVALID_COMMAND_LINE } from './exit-codes.ts';
import { InvalidValueError } from './options/option.ts';
import { DEFAULT_CACHEDIR, DEFAULT_MAX_CONNECTIONS, type StorageOptions, type StorageUrlArgument } from './options/shared.ts';
import { compression, integer, path } from './options/values.ts';
import type { SecretReader } from './secret-reader.ts';
import { authfileSource, type OutsideSecrets, readSecret, type SecretName, takeOutsideSecrets } from './secret-sources.ts';

export interface StorageSettings {
  /** Everything needed to open the store, credentials included. */
  readonly backend: BackendSpec;
  /** Absolute. */
  readonly cachedir: string;
  /** Undefined: by the number of processors. */
  readonly maxThreads: number | undefined;
  /** Undefined: the default. */
  readonly compress: CompressionSpec | undefined;
  /** Undefined: ask for it if it is needed. */
  readonly fsPassphrase: string | undefined;
}

/** Where settings come from besides the command line; tests give others. */
export interface SettingSources {
  readonly readAuthfile?: typeof readAuthinfo2;
  /** Default: those of this process, taken out of its environment. */
  readonly outside?: OutsideSecrets;
  /** For a file system that is only being made: the authfile's passphrase is not meant for it. */
  readonly newFileSystem?: boolean;
}

/** @throws UserError: 2 and 3 for settings that make no sense, 12 for an authfile that others may read */
export async function storageSettings(
  options: StorageUrlArgument & StorageOptions,
  secrets: Pick<SecretReader, 'ask'>,
  { readAuthfile = readAuthinfo2, outside = takeOutsideSecrets(), newFileSystem = false }: SettingSources = {},
): Promise<StorageSettings> {
  const url = canonicalStorageUrl(options.storageUrl);
  const authfile = await readAuthfile(options.authfile, url);
  const fromAuthfile = <T>(key: 'cachedir' | 'maxConnections' | 'maxThreads' | 'compress', parse: (text: string) => T): T | undefined =>
    parseSetting(options.authfile, key, authfile[key], parse);

  const secret = async (name: SecretName, useAuthfile = true): Promise<string | undefined> => {
    const inAuthfile = useAuthfile ? authfileSource(name, authfile, options.authfile) : undefined;
    return readSecret([...outside[name], ...(inAuthfile === undefined ? [] : [inAuthfile])], url);
  };

  const checked = backendSpec({
    url,
    options: options.backendOptions ?? authfile.backendOptions,
    maxConnections: options.maxConnections ?? fromAuthfile('maxConnections', integer(1)) ?? DEFAULT_MAX_CONNECTIONS,
    bandwidthLimits: { upload: options.uploadLimit, download: options.downloadLimit },
  });
  return {
    backend: { ...checked, ...(await credentials(url, secret, secrets)) },
    cachedir: options.cachedir ?? fromAuthfile('cachedir', path) ?? path(DEFAULT_CACHEDIR),
    maxThreads: options.maxThreads ?? fromAuthfile('maxThreads', integer(1)),
    compress: fromAuthfile('compress', compression),
    fsPassphrase: await secret('fs-passphrase', !newFileSystem),
  };
}

/** Makes the directory, for its owner alone, if it is missing. @throws UserError (45) */
export function ensureCachedir(cachedir: string): void {
  try {
    makeDirectories(cachedir, 0o700);
  } catch (error) {
    throw new UserError(`Cannot use the cache directory ${cachedir}: ${(error as Error).message}`, EXIT_CACHEDIR, { cause: error });
  }
}

async function credentials(
  url: string,
  secret: (name: SecretName) => Promise<string | undefined>,
  secrets: Pick<SecretReader, 'ask'>,
): Promise<Pick<BackendSpec, 'login' | 'password'>> {
  const { credentials, loginLabel, passwordLabel } = backendFactoryFor(url);
  if (credentials === 'none') return {};
  const ask = async (label: string): Promise<string> => secrets.ask({ prompt: `Enter ${label} for ${url}` });
  let login = await secret('backend-login');
  if (credentials === 'required') login ??= await ask(loginLabel ?? 'backend login');
  let password = await secret('backend-password');
  if (credentials === 'required') password ??= await ask(passwordLabel ?? 'backend password');
  return { ...(login === undefined ? {} : { login }), ...(password === undefined ? {} : { password }) };
}

function parseSetting<T>(file: string, key: string, text: string | undefined, parse: (text: string) => T): T | undefined {
  if (text === undefined) return undefined;
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof InvalidValueError)) throw error;
    const name = key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new UserError(`${file}: ${name}: ${error.message}`, EXIT_INVALID_COMMAND_LINE, { cause: error });
  }
}
