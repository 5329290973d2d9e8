/** A process with mount-main.ts, and the directories of one file system that such processes come and go on. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readMountTable } from '../../../src/util/mount-table.ts';
import { runProgram } from '../../support/run-program.ts';
import type { Death } from './killing-backend.ts';
import type { MountAnswer, MountCommand, PlannedFault } from './mount-main.ts';

export interface Outcome {
  readonly exitCode: number;
  readonly message?: string;
  readonly requestCount: number;
  readonly listCount: number;
}

/** What a process answers that died instead. */
export class Died extends Error {}

const PASSPHRASE = 'a passphrase';

export class TestFileSystem implements AsyncDisposable {
  readonly directory: string;
  readonly storeDirectory: string;
  readonly mountpoint: string;
  readonly #mkfsOptions: readonly string[];
  readonly #processes = new Set<MountProcess>();

  private constructor(directory: string, mkfsOptions: readonly string[]) {
    this.directory = directory;
    this.storeDirectory = join(directory, 'store');
    this.mountpoint = join(directory, 'mnt');
    this.#mkfsOptions = mkfsOptions;
  }

  /** Nothing is in the store yet. */
  static async create(mkfsOptions: readonly string[] = ['--plain']): Promise<TestFileSystem> {
    const directory = await mkdtemp(join(tmpdir(), 's3ql-recovery-'));
    const created = new TestFileSystem(directory, mkfsOptions);
    await mkdir(created.storeDirectory);
    await mkdir(created.mountpoint);
    return created;
  }

  get url(): string {
    return `local://${this.storeDirectory}`;
  }

  get passphrase(): string | undefined {
    return this.#mkfsOptions.includes('--plain') ? undefined : PASSPHRASE;
  }

  /** `host`: machines have cache directories of their own. */
  start(host: string = 'cache'): MountProcess {
    const started = new MountProcess(this, join(this.directory, host), this.#mkfsOptions);
    this.#processes.add(started);
    return started;
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
  readonly #cachedir: string;
  readonly #mkfsOptions: readonly string[];
  readonly #child: ChildProcess;
  readonly #died: Promise<unknown>;
  readonly log: string[] = [];

  constructor(fileSystem: TestFileSystem, cachedir: string, mkfsOptions: readonly string[]) {
    this.#fileSystem = fileSystem;
    this.#cachedir = cachedir;
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

  get #authfile(): string {
    return join(this.#fileSystem.directory, 'authinfo2');
  }

  mkfs(death?: Death): Promise<Outcome> {
    const argv = [...this.#mkfsOptions, '--cachedir', this.#cachedir, '--authfile', this.#authfile, this.#fileSystem.url];
    return this.tell({ do: 'mkfs', argv, passphrase: PASSPHRASE, ...(death === undefined ? {} : { death }) });
  }

  /** Mounts; `directory` instead of the usual mountpoint. */
  mount(options: { readonly death?: Death; readonly argv?: readonly string[]; readonly mountpoint?: string } = {}): Promise<Outcome> {
    const { death, argv = [], mountpoint = this.#fileSystem.mountpoint } = options;
    const all = ['--cachedir', this.#cachedir, '--authfile', this.#authfile, '--compress', 'none', '--metadata-backup-interval', '0'];
    return this.tell({
      do: 'mount',
      argv: [...all, ...argv, this.#fileSystem.url, mountpoint],
      passphrase: PASSPHRASE,
      ...(death === undefined ? {} : { death }),
    });
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
    return (await this.tell({ do: 'count' })).requestCount;
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
