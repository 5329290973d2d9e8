/** A process with mount-main.ts, and the directories of one file system that such processes come and go on. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readMountTable } from '../../../src/util/mount-table.ts';
import { runProgram } from '../../support/run-program.ts';
import type { Death } from './killing-backend.ts';
import type { MountAnswer, MountCommand, PlannedFault } from './mount-main.ts';

export interface Outcome {
  readonly exitCode: number;
  readonly message?: string;
  /** Since it was armed. */
  readonly requestCount: number;
  readonly listCount: number;
  /** Since the process began. */
  readonly requestsSeen: number;
  /** How many of them went wrong. */
  readonly faultCount: number;
}

/** A store that is no directory. */
export interface RemoteStore {
  readonly url: string;
  /** Content of the authentication file. */
  readonly authinfo: string;
  readonly backendOptions: string;
}

export interface MountParameters {
  readonly death?: Death;
  readonly argv?: readonly string[];
  readonly mountpoint?: string;
  readonly host?: string;
  /** Default: the one that mkfs was given. */
  readonly passphrase?: string;
}

/** What a process answers that died instead. */
export class Died extends Error {}

const PASSPHRASE = 'a passphrase';

export class TestFileSystem implements AsyncDisposable {
  readonly directory: string;
  readonly storeDirectory: string;
  readonly mountpoint: string;
  readonly #mkfsOptions: readonly string[];
  readonly #remote: RemoteStore | undefined;
  readonly #processes = new Set<MountProcess>();

  private constructor(directory: string, mkfsOptions: readonly string[], remote: RemoteStore | undefined) {
    this.directory = directory;
    this.#remote = remote;
    this.storeDirectory = join(directory, 'store');
    this.mountpoint = join(directory, 'mnt');
    this.#mkfsOptions = mkfsOptions;
  }

  /** Nothing is in the store yet. */
  static async create(mkfsOptions: readonly string[] = ['--plain'], remote?: RemoteStore): Promise<TestFileSystem> {
    const directory = await mkdtemp(join(tmpdir(), 's3ql-recovery-'));
    const created = new TestFileSystem(directory, mkfsOptions, remote);
    await mkdir(created.storeDirectory);
    await mkdir(created.mountpoint);
    if (remote !== undefined) await writeFile(created.authfile, remote.authinfo, { mode: 0o600 });
    return created;
  }

  get url(): string {
    return this.#remote?.url ?? `local://${this.storeDirectory}`;
  }

  get authfile(): string {
    return join(this.directory, 'authinfo2');
  }

  get backendOptions(): readonly string[] {
    return this.#remote === undefined ? [] : ['--backend-options', this.#remote.backendOptions];
  }

  get passphrase(): string | undefined {
    return this.#mkfsOptions.includes('--plain') ? undefined : PASSPHRASE;
  }

  /** `host`: machines have cache directories of their own. */
  start(host: string = 'cache'): MountProcess {
    const started = new MountProcess(this, host, this.#mkfsOptions);
    this.#processes.add(started);
    return started;
  }

  /** As it was before mkfs, except for a remote store. */
  async clear(): Promise<void> {
    await this.clearMounts();
    for (const name of await readdir(this.directory)) {
      if (name !== 'authinfo2' && name !== 'mnt') await rm(join(this.directory, name), { recursive: true });
    }
    await mkdir(this.storeDirectory);
  }

  /** For the copy of another remote store. */
  async clearStoreDirectory(): Promise<void> {
    await rm(this.storeDirectory, { recursive: true });
    await mkdir(this.storeDirectory);
  }

  /** Takes away what dead processes left mounted. */
  async clearMounts(): Promise<void> {
    const { mountpoint } = this;
    const mounted = (await readMountTable()).filter((entry) => entry.mountpoint.startsWith(this.directory));
    for (const entry of mounted) await runProgram('umount', ['-l', entry.mountpoint]);
    await mkdir(mountpoint, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const started of this.#processes) await started[Symbol.asyncDispose]();
    await this.clearMounts();
    await rm(this.directory, { recursive: true, force: true });
  }
}

export class MountProcess implements AsyncDisposable {
  readonly #fileSystem: TestFileSystem;
  readonly #host: string;
  readonly #mkfsOptions: readonly string[];
  readonly #child: ChildProcess;
  readonly #died: Promise<unknown>;
  readonly log: string[] = [];

  constructor(fileSystem: TestFileSystem, host: string, mkfsOptions: readonly string[]) {
    this.#fileSystem = fileSystem;
    this.#host = host;
    this.#mkfsOptions = mkfsOptions;
    this.#child = fork(new URL('./mount-main.ts', import.meta.url), { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#died = once(this.#child, 'exit');
    this.#child.on('message', (answer: MountAnswer) => {
      if ('log' in answer) this.log.push(answer.log);
    });
  }

  /** Resolves with the first line of the log, from now on, that contains the text. */
  async logged(text: string): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const onMessage = (answer: MountAnswer): void => {
      if ('log' in answer && answer.log.includes(text)) resolve(answer.log);
    };
    this.#child.on('message', onMessage);
    try {
      return await Promise.race([promise, this.#died.then(() => Promise.reject(new Died()))]);
    } finally {
      this.#child.off('message', onMessage);
    }
  }

  #common(host: string = this.#host): readonly string[] {
    const { directory, authfile, backendOptions } = this.#fileSystem;
    return ['--cachedir', join(directory, host), '--authfile', authfile, ...backendOptions];
  }

  mkfs(death?: Death): Promise<Outcome> {
    const argv = [...this.#mkfsOptions, ...this.#common(), this.#fileSystem.url];
    return this.tell({ do: 'mkfs', argv, passphrase: PASSPHRASE, ...(death === undefined ? {} : { death }) });
  }

  /** Mounts; on another mountpoint than the usual one, or with another machine's cache directory. */
  mount(options: MountParameters = {}): Promise<Outcome> {
    const { death, argv = [], host, mountpoint = this.#fileSystem.mountpoint, passphrase = PASSPHRASE } = options;
    const all = [...this.#common(host), '--compress', 'none', '--metadata-backup-interval', '0'];
    return this.tell({
      do: 'mount',
      argv: [...all, ...argv, this.#fileSystem.url, mountpoint],
      passphrase,
      ...(death === undefined ? {} : { death }),
    });
  }

  /** Makes every so many-th request go wrong; 0: none. */
  failRandomly(seed: number, interval: number): Promise<Outcome> {
    return this.tell({ do: 'fail-randomly', seed, interval });
  }

  /** fsck; fails if it finds anything. */
  check(host?: string, death?: Death): Promise<Outcome> {
    const argv = [...this.#common(host), '--force', '--batch', this.#fileSystem.url];
    return this.tell({ do: 'check', argv, passphrase: PASSPHRASE, ...(death === undefined ? {} : { death }) });
  }

  unmount(): Promise<Outcome> {
    return this.tell({ do: 'unmount' });
  }

  arm(death: Death): Promise<Outcome> {
    return this.tell({ do: 'arm', death });
  }

  fail(request: number, fault: PlannedFault, until?: number): Promise<Outcome> {
    return this.tell({ do: 'fail', request, fault, ...(until === undefined ? {} : { until }) });
  }

  /** Requests so far since the last `arm`. */
  async requestCount(): Promise<number> {
    return (await this.count()).requestCount;
  }

  count(): Promise<Outcome> {
    return this.tell({ do: 'count' });
  }

  /** @throws Died */
  async tell(command: MountCommand): Promise<Outcome> {
    const done = Promise.withResolvers<Outcome>();
    const onMessage = (answer: MountAnswer): void => {
      if ('done' in answer && answer.done === command.do) done.resolve(answer);
    };
    this.#child.on('message', onMessage);
    try {
      // It may be dead by now; that is noticed below.
      this.#child.send(command, () => undefined);
      return await Promise.race([done.promise, this.#died.then(() => Promise.reject(new Died()))]);
    } finally {
      this.#child.off('message', onMessage);
    }
  }

  /** Resolves when the process is dead. */
  async died(): Promise<void> {
    await this.#died;
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#died;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
