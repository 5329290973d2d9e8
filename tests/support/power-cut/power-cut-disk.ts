/** A disk for tests, mounted in a directory of its own: what lies on it survives a power cut as far as it was synced. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DiskAnswer, DiskCommand } from './disk-main.ts';

export class PowerCutDisk implements AsyncDisposable {
  readonly path: string;
  readonly #child: ChildProcess;

  private constructor(path: string) {
    this.path = path;
    this.#child = fork(new URL('./disk-main.ts', import.meta.url), { execArgv: [] });
  }

  static async create(): Promise<PowerCutDisk> {
    const disk = new PowerCutDisk(await mkdtemp(join(tmpdir(), 's3ql-disk-')));
    await disk.#tell({ do: 'mount', mountpoint: disk.path });
    return disk;
  }

  /** From now on everything on the disk fails, and nothing more gets there. */
  cut(): Promise<void> {
    return this.#tell({ do: 'cut' });
  }

  /** The power is back. Nobody may have anything open on the disk. `seed` decides what became of all that was not synced. */
  power(seed: number): Promise<void> {
    return this.#tell({ do: 'power', mountpoint: this.path, seed });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    await this.#tell({ do: 'unmount' });
    this.#child.disconnect();
    await ended;
    await rmdir(this.path);
  }

  async #tell(command: DiskCommand): Promise<void> {
    const answered = once(this.#child, 'message');
    this.#child.send(command);
    const [{ error }] = (await answered) as [DiskAnswer];
    if (error !== undefined) throw new Error(error);
  }
}
