/**
 * SIGKILL of s3qladm while it changes a file system: at a request to the store (before the store works on it, and after), and at random moments.
 * Afterwards the file system is as before or as after, it mounts, and the command run again finishes what it was to do.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFailed, test } from 'vitest';
import { seededRandom } from '../../src/util/seeded-random.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { LONG } from '../support/options.ts';
import { newSeed } from '../support/random.ts';
import { type ProgramResult, runProgram } from '../support/run-program.ts';
import { S3Server } from '../support/servers/s3-server.ts';
import { Journal } from './support/journal.ts';
import { type Outcome, TestFileSystem } from './support/mount-process.ts';
import { authinfoOf, copyToDirectory } from './support/s3-to-directory.ts';

const TIMEOUT_MS = LONG ? 3_600_000 : 600_000;
const MKFS_OPTIONS = ['--data-block-size', '64', '--metadata-block-size', '16'];
/** Every so many requests; in the long form each. */
const STEP = LONG ? 1 : 7;
const RANDOM_ROUNDS = LONG ? 20 : 1;
/** How long a command takes from its start to the first request, and from there to its end, at most, on an idle machine. */
const RANDOM_WITHIN_MS = 1_500;
const S3QLADM = fileURLToPath(new URL('../../bin/s3qladm', import.meta.url));
const NEW_PASSPHRASE = 'another passphrase';
const [EXIT_NO_FILE_SYSTEM, EXIT_NEEDS_FSCK, EXIT_WRONG_PASSPHRASE] = [18, 30, 17];

interface Killing {
  /** The request at which the process is killed; without, at a random moment. */
  readonly request?: number;
  readonly delayMs?: number;
}

/** A file system at an S3 server, with something in it and something promised. */
class Administered implements AsyncDisposable {
  readonly server: S3Server;
  readonly fileSystem: TestFileSystem;
  readonly journal: Journal = new Journal();
  passphrase: string;

  private constructor(server: S3Server, fileSystem: TestFileSystem) {
    this.server = server;
    this.fileSystem = fileSystem;
    this.passphrase = fileSystem.passphrase ?? '';
  }

  static async create(): Promise<Administered> {
    const server = await S3Server.start();
    const url = `s3c4://${server.host}/bucket/`;
    const remote = { url, authinfo: authinfoOf(`s3c4://${server.host}/`), backendOptions: 'no-ssl' };
    const created = new Administered(server, await TestFileSystem.create(MKFS_OPTIONS, remote));
    await created.make();
    return created;
  }

  async make(): Promise<void> {
    await using machine = this.fileSystem.start();
    requireSuccess(await machine.mkfs());
    await this.work(machine);
  }

  /** Mounts, sees that all that was promised is there, works, and unmounts. Without a process, one of its own. */
  async work(machine = this.fileSystem.start()): Promise<void> {
    const { fileSystem, journal, passphrase } = this;
    requireSuccess(await machine.mount({ passphrase }));
    requireNone(await journal.broken(fileSystem.mountpoint));
    await journal.work(fileSystem.mountpoint);
    requireSuccess(await machine.unmount());
    await machine.kill();
    await this.requireSound(fileSystem.url);
  }

  async requireSound(url: string): Promise<void> {
    const { server, fileSystem, passphrase } = this;
    const { storeDirectory } = fileSystem;
    await fileSystem.clearStoreDirectory();
    await copyToDirectory(server, url, storeDirectory);
    requireNone(await brokenInvariants({ storeDirectory, passphrase, allowUnknownObjects: true, otherSizes: true }));
  }

  /** Runs the command to its end. Returns how many requests it makes. */
  async requestsOf(input: string, ...args: readonly string[]): Promise<number> {
    this.server.http.reset();
    requireExit(await this.adm(input, ...args), 0);
    return this.server.http.requests.length;
  }

  /** The command; `input` are the answers to what it asks. */
  adm(input: string, ...args: readonly string[]): Promise<ProgramResult> {
    return runProgram(S3QLADM, this.#arguments(args), { input });
  }

  /** The command, killed. Returns whether it was. */
  async killedAdm({ request, delayMs = 0 }: Killing, input: string, ...args: readonly string[]): Promise<boolean> {
    const child = spawn(S3QLADM, this.#arguments(args), { stdio: ['pipe', 'ignore', 'ignore'] });
    const ended = once(child, 'exit');
    const kill = (): void => void child.kill('SIGKILL');
    this.server.http.reset();
    if (request !== undefined) {
      const fault = { kind: 'tell', [request % 2 === 0 ? 'after' : 'before']: kill } as const;
      this.server.http.plan({ on: /./, fault, after: request - 1 });
    }
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    if (request === undefined) await Promise.race([sleep(delayMs), ended]).then(kill);
    const [, signal] = (await ended) as [number | null, NodeJS.Signals | null];
    this.server.http.reset();
    return signal === 'SIGKILL';
  }

  #arguments(args: readonly string[]): string[] {
    const { directory, authfile, backendOptions, url } = this.fileSystem;
    const [action = '', ...more] = args;
    return ['--cachedir', join(directory, 'cache'), '--authfile', authfile, ...backendOptions, ...more, action, url];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fileSystem[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

function requireNone(problems: readonly string[]): void {
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

function requireSuccess({ exitCode, message }: Outcome): void {
  if (exitCode !== 0) throw new Error(`exit ${exitCode}: ${message}`);
}

function requireExit({ exitCode, stderr }: ProgramResult, ...expected: readonly number[]): number {
  if (exitCode === null || !expected.includes(exitCode)) throw new Error(`exit ${exitCode}: ${stderr}`);
  return exitCode;
}

/** Rounds with a kill at each of so many requests, which is what the command took to its end, and at random moments. Returns how many were killed. */
async function killAtEach(requestCount: number, round: (killing: Killing) => Promise<boolean>): Promise<number> {
  const seed = newSeed();
  onTestFailed(() => console.error(`S3QL_TEST_SEED=${seed}`));
  const random = seededRandom(seed);
  let deaths = 0;
  for (let request = 1; request <= requestCount; request += STEP) if (await round({ request })) deaths += 1;
  for (let count = 0; count < RANDOM_ROUNDS; count += 1) if (await round({ delayMs: random() * RANDOM_WITHIN_MS })) deaths += 1;
  if (LONG) console.info(`seed ${seed}: ${deaths} commands were killed, at each of ${requestCount} requests and at random`);
  return deaths;
}

test('s3qladm passphrase that was killed leaves a file system that opens, and can be run again', { timeout: TIMEOUT_MS }, async () => {
  await using set = await Administered.create();
  const count = await set.requestsOf(`${set.passphrase}\n${NEW_PASSPHRASE}\n`, 'passphrase');
  set.passphrase = NEW_PASSPHRASE;
  const deaths = await killAtEach(count, async (killing) => {
    const next = set.passphrase === NEW_PASSPHRASE ? 'a third passphrase' : NEW_PASSPHRASE;
    const wasKilled = await set.killedAdm(killing, `${set.passphrase}\n${next}\n`, 'passphrase');
    // The old one opens it, or the new one.
    const old = requireExit(await set.adm(`${set.passphrase}\n`, 'info'), 0, EXIT_WRONG_PASSPHRASE);
    if (old === EXIT_WRONG_PASSPHRASE) requireExit(await set.adm(`${next}\n`, 'info'), 0);
    const opening = old === 0 ? set.passphrase : next;
    requireExit(await set.adm(`${opening}\n${next}\n`, 'passphrase'), 0);
    set.passphrase = next;
    await set.work();
    return wasKilled;
  });
  expect(deaths).toBeGreaterThan(0);
});

test('s3qladm shrink-db that was killed leaves a file system that mounts, and can be run again', { timeout: TIMEOUT_MS }, async () => {
  await using set = await Administered.create();
  let isRepeated = false;
  const count = await set.requestsOf(`${set.passphrase}\n`, 'shrink-db');
  const deaths = await killAtEach(count, async (killing) => {
    const wasKilled = await set.killedAdm(killing, `${set.passphrase}\n`, 'shrink-db');
    isRepeated = !isRepeated;
    if (isRepeated) requireExit(await set.adm(`${set.passphrase}\n`, 'shrink-db'), 0);
    await set.work();
    return wasKilled;
  });
  expect(deaths).toBeGreaterThan(1);
});

test('s3qladm restore-metadata that was killed has changed nothing or is done', { timeout: TIMEOUT_MS }, async () => {
  await using set = await Administered.create();
  let isRepeated = false;
  const answers = `${set.passphrase}\n0\n`;
  const count = await set.requestsOf(answers, 'restore-metadata');
  const deaths = await killAtEach(count, async (killing) => {
    const wasKilled = await set.killedAdm(killing, answers, 'restore-metadata');
    isRepeated = !isRepeated;
    if (isRepeated) requireExit(await set.adm(answers, 'restore-metadata'), 0);
    await using machine = set.fileSystem.start();
    const { exitCode } = await machine.mount();
    expect([0, EXIT_NEEDS_FSCK]).toContain(exitCode);
    if (exitCode === 0) requireSuccess(await machine.unmount());
    else requireSuccess(await machine.check());
    await set.work();
    return wasKilled;
  });
  expect(deaths).toBeGreaterThan(1);
});

test('s3qladm clear that was killed leaves a file system or none, and can be run again', { timeout: TIMEOUT_MS }, async () => {
  await using set = await Administered.create();
  const count = await set.requestsOf('yes\n', 'clear');
  set.journal.forget();
  await set.make();
  const deaths = await killAtEach(count, async (killing) => {
    const wasKilled = await set.killedAdm(killing, 'yes\n', 'clear');
    if (requireExit(await set.adm(`${set.passphrase}\n`, 'info'), 0, EXIT_NO_FILE_SYSTEM) === 0) await set.work();
    requireExit(await set.adm('yes\n', 'clear'), 0, EXIT_NO_FILE_SYSTEM);
    expect(set.server.names().filter((name) => name !== 's3ql_lease')).toEqual([]);
    set.journal.forget();
    await set.make();
    return wasKilled;
  });
  expect(deaths).toBeGreaterThan(1);
});

test('s3qladm clone that was killed leaves the source as it was and no file system, and goes on', { timeout: TIMEOUT_MS }, async () => {
  await using set = await Administered.create();
  const { url } = set.fileSystem;
  const to = url.replace(/bucket\/$/, 'bucket/copy-');
  // As a process leaves it that dies while it opens the store.
  set.server.buckets.get('bucket')?.set('s3ql_probe_left', { body: Buffer.from('probe'), headers: {}, etag: '"0"', modified: new Date() });
  const count = await set.requestsOf(`${set.passphrase}\n`, 'clone', '--to', to);
  const deaths = await killAtEach(count, async (killing) => {
    const names = (prefix: string): string[] => set.server.names().filter((name) => name.startsWith(prefix));
    for (const name of names('copy-')) set.server.buckets.get('bucket')?.delete(name);
    const wasKilled = await set.killedAdm(killing, `${set.passphrase}\n`, 'clone', '--to', to);
    const isThere = names('copy-s3ql_params').includes('copy-s3ql_params');
    requireExit(await set.adm(`${set.passphrase}\n`, 'clone', '--to', to), isThere ? 1 : 0);
    await set.requireSound(to);
    await set.work();
    return wasKilled;
  });
  expect(deaths).toBeGreaterThan(1);
  expect(await readdir(set.fileSystem.mountpoint)).toEqual([]);
});
