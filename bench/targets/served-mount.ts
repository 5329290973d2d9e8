/** A FUSE file system served by a child process of ours in the foreground, from the moment that it is mounted until it is unmounted. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { cleanUpAtTheLatest } from '../clean-up.ts';
import { mustRun, runProgram } from '../../tests/support/run-program.ts';

/** How long a file system may take to appear, or its process to end: storing everything is part of the latter. */
const MOUNT_TIMEOUT_MS = 180_000;
const END_TIMEOUT_MS = 600_000;
const POLL_MS = 5;

export interface ServedMountOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly mountpoint: string;
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export class ServedMount implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #mountpoint: string;
  readonly #output: string[] = [];
  readonly #end: () => Promise<void>;
  #isOver = false;

  private constructor({ command, args, mountpoint, input, env }: ServedMountOptions) {
    this.#mountpoint = mountpoint;
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.on('data', (data: Buffer) => this.#output.push(data.toString()));
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdin?.end(input ?? '');
    const { promise, resolve } = Promise.withResolvers<void>();
    const over = (): void => {
      this.#isOver = true;
      resolve();
    };
    this.#child.once('exit', over);
    this.#child.once('error', (error) => {
      this.#output.push(error.message);
      over();
    });
    this.#exited = promise;
    this.#end = cleanUpAtTheLatest(() => this.#remove());
  }

  /** Resolves when the file system is mounted. @throws if its process ends before */
  static async start(options: ServedMountOptions): Promise<ServedMount> {
    const mount = new ServedMount(options);
    try {
      const limit = AbortSignal.timeout(MOUNT_TIMEOUT_MS);
      while (!(await isMounted(options.mountpoint))) {
        if (mount.#isOver) throw new Error(`${options.command} ended: ${mount.#output.join('')}`);
        limit.throwIfAborted();
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      return mount;
    } catch (error) {
      await mount[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Unmounts by the command; resolves when the process has ended. */
  async unmount(command: string = 'umount', args: readonly string[] = []): Promise<void> {
    await mustRun(command, [...args, this.#mountpoint], { timeoutMs: END_TIMEOUT_MS });
    await this.#exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end();
  }

  async #remove(): Promise<void> {
    if (await isMounted(this.#mountpoint)) await runProgram('umount', ['-l', this.#mountpoint]);
    if (!this.#isOver) this.#child.kill('SIGKILL');
    await this.#exited;
    while (await isMounted(this.#mountpoint)) await mustRun('umount', ['-l', this.#mountpoint]);
  }
}

async function isMounted(mountpoint: string): Promise<boolean> {
  const table = await readFile('/proc/self/mounts', 'utf8');
  return table.split('\n').some((line) => line.split(' ')[1] === mountpoint);
}
