/** The authfile `authinfo2`: credentials and settings by storage URL (S3QL behaviour 1.4). */
import { open } from 'node:fs/promises';
import { UserError } from '../util/errors.ts';
import { ConfigSyntaxError, parsePythonConfig } from '../util/python-config.ts';
import type { ConfigSection } from '../util/python-config.ts';

const EXIT_INVALID = 2;
const EXIT_INSECURE = 12;
const GROUP_OR_OTHERS_READ = 0o044;
const MAX_FILE_BYTES = 1024 * 1024;

/** A secret as it is, or the file that holds it, or the command that prints it. */
export interface SecretSetting {
  readonly kind: 'value' | 'file' | 'command';
  readonly text: string;
}

/** What an authfile says for one storage URL: text as it stands there, checked by whoever uses it. */
export interface Authinfo2Settings {
  readonly backendLogin?: SecretSetting;
  readonly backendPassword?: SecretSetting;
  readonly fsPassphrase?: SecretSetting;
  readonly backendOptions?: string;
  readonly cachedir?: string;
  readonly maxConnections?: string;
  readonly maxThreads?: string;
  readonly compress?: string;
}

const STORAGE_URL = 'storage-url';
const SECRETS: ReadonlyMap<string, 'backendLogin' | 'backendPassword' | 'fsPassphrase'> = new Map([
  ['backend-login', 'backendLogin'],
  ['backend-password', 'backendPassword'],
  ['fs-passphrase', 'fsPassphrase'],
]);
const SETTINGS: ReadonlyMap<string, 'backendOptions' | 'cachedir' | 'maxConnections' | 'maxThreads' | 'compress'> = new Map([
  ['backend-options', 'backendOptions'],
  ['cachedir', 'cachedir'],
  ['max-connections', 'maxConnections'],
  ['max-threads', 'maxThreads'],
  ['compress', 'compress'],
]);

/**
 * What the file says for a storage URL; nothing if there is no file.
 * @throws UserError: exit code 12 if others may read the file, 2 if it is malformed, 1 if it cannot be read
 */
export async function readAuthinfo2(path: string, canonicalUrl: string): Promise<Authinfo2Settings> {
  const text = await readPrivateFile(path);
  if (text === undefined) return {};
  try {
    return authinfo2Settings(text, canonicalUrl);
  } catch (cause) {
    if (!(cause instanceof ConfigSyntaxError)) throw cause;
    throw new UserError(`${path}: ${cause.message}`, EXIT_INVALID, { cause });
  }
}

/** Merges all sections whose storage-url the URL begins with; later ones win, key by key. @throws ConfigSyntaxError */
export function authinfo2Settings(text: string, canonicalUrl: string): Authinfo2Settings {
  let settings: Authinfo2Settings = {};
  for (const [name, section] of parsePythonConfig(text)) {
    const parsed = sectionSettings(name, section);
    const prefix = section.get(STORAGE_URL);
    if (prefix !== undefined && canonicalUrl.startsWith(prefix)) settings = { ...settings, ...parsed };
  }
  return settings;
}

function sectionSettings(name: string, section: ConfigSection): Authinfo2Settings {
  const settings: Record<string, string | SecretSetting> = {};
  for (const [key, text] of section) {
    const [, secretKey = key, kind = 'value'] = /^(.+)-(file|command)$/.exec(key) ?? [];
    const secret = SECRETS.get(secretKey);
    const setting = SETTINGS.get(key);
    if (secret !== undefined) {
      if (settings[secret] !== undefined) throw new ConfigSyntaxError(`section [${name}] has more than one setting for ${secretKey}`);
      settings[secret] = { kind: kind as SecretSetting['kind'], text };
    } else if (setting !== undefined) settings[setting] = text;
    else if (key !== STORAGE_URL) throw new ConfigSyntaxError(`unknown setting "${key}" in section [${name}]`);
  }
  return settings;
}

async function readPrivateFile(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path, 'r');
    // Of the open file, so that it is the one that is read.
    const { mode, size } = await file.stat();
    if ((mode & GROUP_OR_OTHERS_READ) !== 0) {
      throw new UserError(`${path} may be read by other users. Make it private first: chmod 600 ${path}`, EXIT_INSECURE);
    }
    if (size > MAX_FILE_BYTES) throw new UserError(`${path} is too large for an authfile (${size} bytes).`, EXIT_INVALID);
    return decoded(path, await file.readFile());
  } catch (error) {
    if (error instanceof UserError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UserError(`Cannot read ${path}: ${(error as Error).message}`, 1, { cause: error });
  }
}

/** What is in another encoding would make a password that is wrong. */
function decoded(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new UserError(`${path} is not text in UTF-8.`, EXIT_INVALID, { cause });
  }
}
