/**
 * A file system of ours, made, mounted and unmounted as users do it: by the commands, each a process of its own, with the store, the cache
 * directory and the mountpoint in a temporary directory. Whatever happens, disposing of it leaves neither a mount nor a daemon behind.
 */
import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type InvariantOptions, brokenInvariants } from './invariants.ts';
import { type ProgramOptions, type ProgramResult, mustRun, runProgram } from './run-program.ts';

/** A store and how to get in, as users have it in the authfile and the environment. */
export interface StoreAddress {
  readonly url: string;
  readonly login?: string | undefined;
  readonly password?: string | undefined;
  readonly backendOptions?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export interface MountOptions {
  /** Absent: not encrypted. */
  readonly passphrase?: string;
  readonly dataBlockSizeKib?: number;
  /** More arguments of mount.s3ql. */
  readonly mountArguments?: readonly string[];
  /** Mounted as this user (root if absent). */
  readonly uid?: number;
  /** A store to mount instead of a new one: the directory of a local:// URL. */
  readonly storeDirectory?: string;
  /** An existing directory for the cache and a new store, instead of one that is removed in the end. */
  readonly stateDirectory?: string;
  /** An empty store elsewhere, instead of a directory. */
  readonly store?: StoreAddress;
}

const CONTROL_FILE = '.__s3ql__ctrl__';
const BIN = fileURLToPath(new URL('../../bin/', import.meta.url));
const DEFAULT_MOUNT_ARGUMENTS = ['--allow-other', '--compress', 'zlib-1'];
/** How long a daemon that was told to end may take: everything has to reach the store. */
const END_TIMEOUT_MS = 120_000;
const POLL_MS = 20;

/** Runs one of our commands, e.g. `mkfs.s3ql`. */
export function runCommand(name: string, args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> {
  return runProgram(join(BIN, name), args, options);
}

export class MountedFileSystem implements AsyncDisposable {
  readonly directory: string;
  readonly storeDirectory: string;
  readonly cacheDirectory: string;
  readonly mountpoint: string;
  readonly storageUrl: string;
  readonly #options: MountOptions;
  /** Of the daemon, while mounted. */
  #pid: number | undefined;

  private constructor(directory: string, options: MountOptions) {
    this.directory = directory;
    const { stateDirectory = directory } = options;
    this.storeDirectory = options.storeDirectory ?? join(stateDirectory, 'store');
    this.cacheDirectory = join(stateDirectory, 'cache');
    this.mountpoint = join(directory, 'mnt');
    this.storageUrl = options.store?.url ?? `local://${this.storeDirectory}`;
    this.#options = options;
  }

  /** Makes a file system (unless there is a store already) and mounts it. */
  static async create(options: MountOptions = {}): Promise<MountedFileSystem> {
    const fileSystem = await MountedFileSystem.prepare(options);
    try {
      if (options.storeDirectory === undefined) await fileSystem.make();
      await fileSystem.mount();
      return fileSystem;
    } catch (error) {
      await fileSystem[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Directories only: nothing made, nothing mounted. */
  static async prepare(options: MountOptions = {}): Promise<MountedFileSystem> {
    const directory = await mkdtemp(join(tmpdir(), 's3ql-mount-'));
    await chmod(directory, 0o755);
    const fileSystem = new MountedFileSystem(directory, options);
    await mkdir(fileSystem.mountpoint);
    await mkdir(fileSystem.cacheDirectory, { recursive: true, mode: 0o700 });
    if (options.storeDirectory === undefined && options.store === undefined) await mkdir(fileSystem.storeDirectory, { recursive: true });
    if (options.store !== undefined) await writeFile(fileSystem.#authfile, authinfo2(options.store), { mode: 0o600 });
    return fileSystem;
  }

  get pid(): number {
    if (this.#pid === undefined) throw new Error('not mounted');
    return this.#pid;
  }

  get isMounted(): boolean {
    return this.#pid !== undefined;
  }

  get passphrase(): string | undefined {
    return this.#options.passphrase;
  }

  async make(): Promise<void> {
    await mustRun(join(BIN, 'mkfs.s3ql'), this.makeArguments(), this.#programOptions());
  }

  /** Arguments of mount.s3ql for this file system. */
  mountArguments(): string[] {
    return [...this.#common(), ...DEFAULT_MOUNT_ARGUMENTS, ...(this.#options.mountArguments ?? []), this.storageUrl, this.mountpoint];
  }

  /** Arguments of fsck.s3ql for this file system. */
  checkArguments(): string[] {
    return [...this.#common(), '--batch', this.storageUrl];
  }

  /** Arguments of mkfs.s3ql for it. */
  makeArguments(): string[] {
    const { passphrase, dataBlockSizeKib = 128 } = this.#options;
    const encryption = passphrase === undefined ? ['--plain'] : [];
    return [...this.#common(), ...encryption, '--data-block-size', String(dataBlockSizeKib), this.storageUrl];
  }

  /** Runs mkfs.s3ql, whatever comes of it. */
  tryToMake(): Promise<ProgramResult> {
    return runCommand('mkfs.s3ql', this.makeArguments(), this.#programOptions());
  }

  /** Runs mount.s3ql, whatever comes of it. */
  tryToMount(args: readonly string[] = this.mountArguments()): Promise<ProgramResult> {
    return runCommand('mount.s3ql', args, this.#programOptions());
  }

  /** Mounts; returns what the command said. */
  async mount(): Promise<ProgramResult> {
    const result = await this.tryToMount();
    if (result.exitCode !== 0) throw new Error(`mount.s3ql: exit ${result.exitCode}\n${result.stdout}${result.stderr}${await this.log()}`);
    this.#pid = Number((await this.control('get', 's3ql_pid?')).trim());
    return result;
  }

  /** Unmounts; returns when everything is in the store and the daemon has gone. */
  async unmount(): Promise<void> {
    const { pid } = this;
    const result = await runCommand('umount.s3ql', [this.mountpoint]);
    if (result.exitCode !== 0) throw new Error(`umount.s3ql: exit ${result.exitCode}\n${result.stderr}${await this.log()}`);
    await this.#ended(pid);
    this.#pid = undefined;
  }

  async remount(): Promise<void> {
    await this.unmount();
    await this.mount();
  }

  /**
   * Kills everything that works for this file system, daemons and commands, and waits until it is gone. A mount stays behind, dead, and what
   * is open in it too.
   */
  async kill(): Promise<void> {
    // What is dying may have started something that was not there yet when we looked.
    for (let pids = await this.#processes(); pids.length > 0; pids = await this.#processes()) {
      for (const pid of pids) {
        if (isRunning(pid)) process.kill(pid, 'SIGKILL');
        await this.#ended(pid);
      }
    }
    this.#pid = undefined;
  }

  /** Sends the daemon a signal that ends it in an orderly way, and waits for that. */
  async terminate(signal: 'SIGINT' | 'SIGTERM'): Promise<void> {
    const { pid } = this;
    process.kill(pid, signal);
    await this.#ended(pid);
    this.#pid = undefined;
  }

  /** Empties the block cache: what is read next comes from the store. */
  async dropCache(): Promise<void> {
    await this.control('set', 's3ql_dropcache!');
  }

  /** Uploads all blocks that changed. */
  async flushCache(): Promise<void> {
    await this.control('set', 's3ql_flushcache!');
  }

  /** Gets or sets an attribute of the control file. */
  async control(what: 'get' | 'set', name: string): Promise<string> {
    const path = join(this.mountpoint, CONTROL_FILE);
    const args = what === 'get' ? ['--only-values', '--absolute-names', '-n', name, path] : ['-n', name, '-v', 'now', path];
    return (await mustRun(what === 'get' ? 'getfattr' : 'setfattr', args)).stdout;
  }

  /** Forgets everything this machine knows of the file system. */
  async removeCache(): Promise<void> {
    await rm(this.cacheDirectory, { recursive: true });
    await mkdir(this.cacheDirectory, { mode: 0o700 });
  }

  /** Runs s3ql_verify, which reads everything in the store. */
  verify(): Promise<ProgramResult> {
    const lists = ['missing', 'corrupted'].flatMap((kind) => [`--${kind}-file`, join(this.directory, kind)]);
    return runCommand('s3ql_verify', [...this.#common(), '--data', ...lists, this.storageUrl], this.#programOptions());
  }

  /** What is wrong with the store; unmounts first if need be. */
  async brokenInvariants(options: Pick<InvariantOptions, 'allowUnknownObjects'> = {}): Promise<string[]> {
    if (this.isMounted) await this.unmount();
    const { passphrase } = this.#options;
    return brokenInvariants({ storeDirectory: this.storeDirectory, ...(passphrase === undefined ? {} : { passphrase }), ...options });
  }

  /** The daemon's log, for messages of failures. */
  async log(): Promise<string> {
    return readFile(join(this.cacheDirectory, 'mount.log'), 'utf8').catch(() => '');
  }

  /** Takes away the mounts that killed daemons left, as a reboot does. */
  async removeMounts(): Promise<void> {
    for (let mounts = await this.mountCount(); mounts > 0; mounts -= 1) await runProgram('umount', ['-l', this.mountpoint]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Without its daemon a mount answers everything at once with an error; with one that hangs, cleaning up would hang too.
    await this.kill();
    await this.removeMounts();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** How many mounts, living and dead, lie on the mountpoint. */
  async mountCount(): Promise<number> {
    const table = await readFile('/proc/self/mounts', 'utf8');
    return table.split('\n').filter((line) => line.split(' ')[1] === this.mountpoint).length;
  }

  /** Those that have our directory, whose name nobody else has, in their command line. */
  async #processes(): Promise<number[]> {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
    const commandLines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
    return pids.filter((pid, index) => pid !== process.pid && commandLines[index]?.includes(this.directory));
  }

  #common(): string[] {
    return ['--cachedir', this.cacheDirectory, '--authfile', this.#authfile];
  }

  get #authfile(): string {
    return join(this.directory, 'authinfo2');
  }

  #programOptions(): ProgramOptions {
    const { passphrase, uid, store } = this.#options;
    return {
      env: { ...process.env, HOME: this.directory, ...store?.env },
      ...(passphrase === undefined ? {} : { input: `${passphrase}\n` }),
      ...(uid === undefined ? {} : { uid, gid: uid }),
    };
  }

  /** The daemon is no child of ours: its end can only be looked for. @throws if it does not end */
  async #ended(pid: number): Promise<void> {
    const limit = AbortSignal.timeout(END_TIMEOUT_MS);
    while (isRunning(pid)) {
      if (limit.aborted) throw new Error(`the daemon ${pid} does not end\n${await this.log()}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

function authinfo2({ url, login, password, backendOptions }: StoreAddress): string {
  const settings = { 'storage-url': url, 'backend-login': login, 'backend-password': password, 'backend-options': backendOptions };
  const lines = Object.entries(settings).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value.replaceAll('%', '%%')}`],
  );
  return ['[store]', ...lines, ''].join('\n');
}

/** A process that ended, but that nobody has waited for yet, does not run. */
function isRunning(pid: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return status.charAt(status.lastIndexOf(')') + 2) !== 'Z';
  } catch {
    return false;
  }
}
