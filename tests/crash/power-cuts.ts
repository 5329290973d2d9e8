/** Power cuts of the disk that has the cache directory and the store; what was not synced is there, missing or torn, as a disk may have it. */
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MountedFileSystem } from '../support/mounted-file-system.ts';
import { PowerCutDisk } from '../support/power-cut/power-cut-disk.ts';
import { syncPath } from './content.ts';
import type { Catastrophe } from './crash-rounds.ts';

export class PowerCuts implements Catastrophe, AsyncDisposable {
  readonly losesUnsynced = true;
  readonly #disk: PowerCutDisk;
  #seed: number;

  private constructor(disk: PowerCutDisk, seed: number) {
    this.#disk = disk;
    this.#seed = seed;
  }

  static async create(seed: number): Promise<PowerCuts> {
    return new PowerCuts(await PowerCutDisk.create(), seed);
  }

  /** There for good, as a person's directories are. */
  readonly stateDirectory = async (): Promise<string> => {
    const directory = await mkdtemp(join(this.#disk.path, 'state-'));
    await Promise.all([mkdir(join(directory, 'store')), mkdir(join(directory, 'cache'))]);
    syncPath(directory);
    syncPath(this.#disk.path);
    return directory;
  };

  async strike(fileSystems: readonly MountedFileSystem[]): Promise<void> {
    await this.#disk.cut();
    for (const fileSystem of fileSystems) await fileSystem.kill();
    for (const fileSystem of fileSystems) await fileSystem.removeMounts();
    this.#seed += 1;
    await this.#disk.power(this.#seed);
    for (const { cacheDirectory } of fileSystems) await bootAnew(cacheDirectory);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#disk[Symbol.asyncDispose]();
  }
}

/** The cache's notes of which boot of the machine they are from are from another one now. */
async function bootAnew(cacheDirectory: string): Promise<void> {
  for (const name of await readdir(cacheDirectory)) {
    const path = join(cacheDirectory, name, 'segments/session');
    const session = await readFile(path, 'latin1').catch(() => '');
    const [state] = session.split('\n');
    // Whatever else is there is no note of any boot.
    if (session !== '') await writeFile(path, `${state}\nanother boot\n`, { flush: true });
  }
}
