/**
 * Where the secrets of a storage URL come from, besides a person: the environment, systemd's credentials, the authfile; and in each of them as
 * they are, in a file, or as the output of a command. The first place that has one counts. What is said of a secret in errors is where it should
 * have come from, never what it is.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Authinfo2Settings, SecretSetting } from '../backends/authinfo2.ts';
import { UserError } from '../util/errors.ts';
import { EXIT_ERROR, EXIT_INVALID_COMMAND_LINE } from './exit-codes.ts';

export const SECRET_NAMES = ['backend-login', 'backend-password', 'fs-passphrase'] as const;
export type SecretName = (typeof SECRET_NAMES)[number];

/** A secret, or how to come by it, and how messages call that place. */
export type SecretSource = { readonly origin: string } & (
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'file'; readonly path: string; readonly optional?: boolean }
  | { readonly kind: 'command'; readonly command: string }
);

/** The places outside the authfile, in the order in which they count. */
export type OutsideSecrets = Readonly<Record<SecretName, readonly SecretSource[]>>;

export const NO_OUTSIDE_SECRETS: OutsideSecrets = { 'backend-login': [], 'backend-password': [], 'fs-passphrase': [] };

const MAX_SECRET_BYTES = 64 * 1024;
/** Who is asked by the command may have to find the key to a safe first. */
const COMMAND_TIMEOUT_MS = 10 * 60_000;

/**
 * Reads the variables S3QL_<SECRET>, S3QL_<SECRET>_FILE, S3QL_<SECRET>_COMMAND, and CREDENTIALS_DIRECTORY. Variables that hold secrets are
 * removed: processes that we start need not have them.
 * @throws UserError (2) for contradicting variables
 */
export function takeOutsideSecrets(environment: NodeJS.ProcessEnv = process.env): OutsideSecrets {
  const entries = SECRET_NAMES.map((name) => [name, [...fromEnvironment(name, environment), ...fromSystemd(name, environment)]] as const);
  return Object.fromEntries(entries) as Record<SecretName, readonly SecretSource[]>;
}

/** Where the authfile has the secret. */
export function authfileSource(name: SecretName, settings: Authinfo2Settings, authfile: string): SecretSource | undefined {
  const setting: SecretSetting | undefined = settings[AUTHFILE_SETTINGS[name]];
  return (
    setting && secretSource(setting.kind, setting.text, `${setting.kind === 'value' ? name : `${name}-${setting.kind}`} in ${authfile}`)
  );
}

const AUTHFILE_SETTINGS = {
  'backend-login': 'backendLogin',
  'backend-password': 'backendPassword',
  'fs-passphrase': 'fsPassphrase',
} as const satisfies Record<SecretName, keyof Authinfo2Settings>;

/**
 * The secret from the first source that has it; undefined if none has.
 * @param storageUrl told to commands, as S3QL_STORAGE_URL
 * @throws UserError (1) if a source is to have it, but has not
 */
export async function readSecret(sources: readonly SecretSource[], storageUrl: string): Promise<string | undefined> {
  for (const source of sources) {
    const bytes = await contentOf(source, storageUrl);
    if (bytes === undefined) continue;
    const text = secretText(bytes, source.origin);
    // Who writes an empty value means it: some stores look at one of login and password only.
    if (text === '' && source.kind !== 'value') throw new UserError(`What comes from ${source.origin} is empty.`, EXIT_ERROR);
    return text;
  }
  return undefined;
}

function fromEnvironment(name: SecretName, environment: NodeJS.ProcessEnv): SecretSource[] {
  const variable = `S3QL_${name.toUpperCase().replace('-', '_')}`;
  const kinds = { [variable]: 'value', [`${variable}_FILE`]: 'file', [`${variable}_COMMAND`]: 'command' } as const;
  const found = Object.entries(kinds).filter(([key]) => environment[key] !== undefined && environment[key] !== '');
  if (found.length > 1) {
    const names = found.map(([key]) => key).join(' and ');
    throw new UserError(`the environment variables ${names} contradict each other: only one may be set`, EXIT_INVALID_COMMAND_LINE);
  }
  const sources = found.map(([key, kind]) => secretSource(kind, environment[key] ?? '', `the environment variable ${key}`));
  delete environment[variable];
  return sources;
}

function fromSystemd(name: SecretName, environment: NodeJS.ProcessEnv): SecretSource[] {
  const directory = environment['CREDENTIALS_DIRECTORY'];
  if (directory === undefined || directory === '') return [];
  return [{ kind: 'file', path: join(directory, `s3ql.${name}`), optional: true, origin: `the systemd credential s3ql.${name}` }];
}

function secretSource(kind: SecretSource['kind'], text: string, origin: string): SecretSource {
  switch (kind) {
    case 'value':
      return { kind, value: text, origin };
    case 'file':
      return { kind, path: text, origin };
    default:
      return { kind, command: text, origin };
  }
}

async function contentOf(source: SecretSource, storageUrl: string): Promise<Uint8Array | undefined> {
  switch (source.kind) {
    case 'value':
      return Buffer.from(source.value, 'utf8');
    case 'file':
      return withoutLineEnd(await fileContent(source.path, source.origin, source.optional === true));
    default:
      return withoutLineEnd(await commandOutput(source.command, source.origin, storageUrl));
  }
}

async function fileContent(path: string, origin: string, optional: boolean): Promise<Buffer | undefined> {
  try {
    await using file = await open(path, 'r');
    const buffer = Buffer.alloc(MAX_SECRET_BYTES + 1);
    let length = 0;
    for (let bytesRead = -1; bytesRead !== 0 && length < buffer.byteLength; length += bytesRead) {
      ({ bytesRead } = await file.read(buffer, length, buffer.byteLength - length));
    }
    if (length > MAX_SECRET_BYTES) throw tooLarge(origin);
    return buffer.subarray(0, length);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    if (optional && (cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UserError(`Cannot read ${path} (${origin}): ${(cause as Error).message}`, EXIT_ERROR, { cause });
  }
}

/** What the shell command prints. It may speak with the person at the terminal. */
async function commandOutput(command: string, origin: string, storageUrl: string): Promise<Buffer> {
  const child = spawn('/bin/sh', ['-c', command], {
    // Lines of standard input that is no terminal are answers to questions of ours.
    stdio: [process.stdin.isTTY ? 'inherit' : 'ignore', 'pipe', 'inherit'],
    env: { ...process.env, S3QL_STORAGE_URL: storageUrl },
    timeout: COMMAND_TIMEOUT_MS,
  });
  const chunks: Buffer[] = [];
  let length = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    length += chunk.byteLength;
    if (length <= MAX_SECRET_BYTES) chunks.push(chunk);
    else child.kill();
  });
  // What the shell had started may live on, and have the pipe.
  child.once('exit', (_code, signal) => signal !== null && child.stdout.destroy());
  const [exitCode, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (length > MAX_SECRET_BYTES) throw tooLarge(origin);
  if (exitCode !== 0) {
    const how = exitCode === null ? `was ended by ${signal}` : `failed with exit code ${exitCode}`;
    throw new UserError(`The command of ${origin} ${how}.`, EXIT_ERROR);
  }
  return Buffer.concat(chunks);
}

function withoutLineEnd(bytes: Buffer | undefined): Uint8Array | undefined {
  if (bytes?.at(-1) !== 0x0a) return bytes;
  return bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1);
}

function secretText(bytes: Uint8Array, origin: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UserError(`What comes from ${origin} is not valid UTF-8.`, EXIT_ERROR);
  }
}

function tooLarge(origin: string): UserError {
  return new UserError(`What comes from ${origin} is too large for a secret (more than ${MAX_SECRET_BYTES} bytes).`, EXIT_ERROR);
}
