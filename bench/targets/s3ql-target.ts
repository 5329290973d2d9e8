/** Our own mount: encrypted, zlib-6, a local store, everything else as users get it. With a delay, the store answers that much later. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setXattr } from '../../src/util/xattr.ts';
import { mustRun } from '../../tests/support/run-program.ts';
import { run } from '../measure/run.ts';
import { ServedMount } from './served-mount.ts';
import type { Target, TargetKind } from './target.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MOUNT_MAIN = join(ROOT, 'bench/targets/s3ql-mount-main.ts');
/** What bin/launch.sh sets. */
const LAUNCHER_OPTIONS = ['--max-semi-space-size=4', '--heap-growing-percent=50'];
const LAUNCHER_ENVIRONMENT = {
  NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/s3ql'),
  MALLOC_ARENA_MAX: '2',
};
const PASSPHRASE = 'benchmark\n';
const COMMAND_TIMEOUT_MS = 900_000;
const FAR_DELAY_MS = 50;

export const s3qlTarget: TargetKind = s3qlKind('s3ql', 'this project: encrypted, zlib-6, local store', 0);
export const farS3qlTarget: TargetKind = s3qlKind('s3ql-50ms', `this project, store answers after ${FAR_DELAY_MS} ms`, FAR_DELAY_MS);

function s3qlKind(name: string, description: string, delayMs: number): TargetKind {
  return { name, description, programs: ['umount'], create: (workDirectory) => S3qlTarget.create(name, workDirectory, delayMs) };
}

class S3qlTarget implements Target {
  readonly name: string;
  readonly directory: string;
  readonly #workDirectory: string;
  readonly #delayMs: number;
  #mount: ServedMount | undefined;

  private constructor(name: string, workDirectory: string, delayMs: number) {
    this.name = name;
    this.directory = join(workDirectory, 'mnt');
    this.#workDirectory = workDirectory;
    this.#delayMs = delayMs;
  }

  static async create(name: string, workDirectory: string, delayMs: number): Promise<Target> {
    const target = new S3qlTarget(name, workDirectory, delayMs);
    for (const path of [target.directory, target.#store, target.#cache]) await mkdir(path);
    await mustRun(join(ROOT, 'bin/mkfs.s3ql'), [...target.#common, target.#url], { input: PASSPHRASE + PASSPHRASE });
    await target.mount({ forgetLocalState: false });
    return target;
  }

  daemonPids(): readonly number[] {
    return this.#mount === undefined ? [] : [this.#mount.pid];
  }

  flush(): Promise<void> {
    return this.#control('s3ql_flushcache!');
  }

  emptyCache(): Promise<void> {
    return this.#control('s3ql_dropcache!');
  }

  async snapshot(source: string, target: string): Promise<void> {
    await mustRun(join(ROOT, 'bin/s3qlcp'), [join(this.directory, source), join(this.directory, target)], {
      timeoutMs: COMMAND_TIMEOUT_MS,
    });
  }

  async backup(source: string): Promise<undefined> {
    await run('rsync', ['-a', '--delete', `${source}/`, join(this.directory, 'backup')]);
    await this.flush();
  }

  async restore(into: string): Promise<undefined> {
    await run('cp', ['-a', join(this.directory, 'backup'), into]);
  }

  async unmount(): Promise<void> {
    await this.#mount?.unmount(join(ROOT, 'bin/umount.s3ql'), ['--quiet']);
    this.#mount = undefined;
  }

  async mount({ forgetLocalState }: { readonly forgetLocalState: boolean }): Promise<void> {
    if (forgetLocalState) {
      await rm(this.#cache, { recursive: true });
      await mkdir(this.#cache);
    }
    this.#mount = await ServedMount.start({
      command: process.execPath,
      args: [
        ...LAUNCHER_OPTIONS,
        ...nodeOptions(),
        MOUNT_MAIN,
        ...this.#common,
        '--quiet',
        '--allow-other',
        '--compress',
        'zlib-6',
        this.#url,
        this.directory,
      ],
      mountpoint: this.directory,
      input: PASSPHRASE,
      env: { ...LAUNCHER_ENVIRONMENT, S3QL_BENCH_DELAY_MS: String(this.#delayMs) },
    });
  }

  async remount(): Promise<void> {
    await this.unmount();
    await this.mount({ forgetLocalState: false });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const mount = this.#mount;
    if (mount === undefined) return;
    // A profile is written only by a daemon that ends by itself.
    if (nodeOptions().length > 0) await this.unmount();
    await mount[Symbol.asyncDispose]();
  }

  get #store(): string {
    return join(this.#workDirectory, 'store');
  }

  get #cache(): string {
    return join(this.#workDirectory, 'cache');
  }

  get #url(): string {
    return `local://${this.#store}`;
  }

  get #common(): readonly string[] {
    return ['--cachedir', this.#cache, '--authfile', join(this.#workDirectory, 'no-authinfo2')];
  }

  async #control(action: string): Promise<void> {
    await setXattr(join(this.directory, '.__s3ql__ctrl__'), action, Buffer.from('now'));
  }
}

/** Of the daemon, for profiles: S3QL_BENCH_NODE_OPTIONS='--cpu-prof --cpu-prof-dir=/tmp/profiles'. */
function nodeOptions(): readonly string[] {
  return (process.env.S3QL_BENCH_NODE_OPTIONS ?? '').split(' ').filter((option) => option !== '');
}
