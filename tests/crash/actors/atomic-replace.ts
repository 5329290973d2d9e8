/** Writes a new version beside the file and renames it over the old one, with and without fsync. What is there is one version, whole. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Random } from '../../support/random.ts';
import type { Actor } from '../actor.ts';
import { contentOf, syncPath } from '../content.ts';

const LARGEST_BYTES = 400_000;

/** How long a version is; some take several blocks. */
function lengthOf(version: number): number {
  return 8 + ((version * 7919) % (version % 3 === 0 ? LARGEST_BYTES : 2000));
}

export class AtomicReplace implements Actor {
  readonly name: string;
  readonly #path: string;
  readonly #synced: boolean;
  #promised = 0;
  #attempted = 0;

  /** `synced`: the new version is fsynced before the rename, as careful programs do. */
  constructor(path: string, synced: boolean) {
    this.name = `atomic-replace ${synced ? 'with' : 'without'} fsync`;
    this.#path = path;
    this.#synced = synced;
  }

  step(random: Random): void {
    const version = this.#attempted + 1;
    const temporary = `${this.#path}.new`;
    const fd = openSync(temporary, 'w');
    try {
      writeSync(fd, contentOf(version, lengthOf(version)));
      if (this.#synced) fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    this.#attempted = version;
    renameSync(temporary, this.#path);
    if (this.#synced && random.below(3) === 0) {
      syncPath(dirname(this.#path));
      this.#promised = version;
    }
  }

  verify(): string[] {
    rmSync(`${this.#path}.new`, { force: true });
    const found = this.#found();
    if (found === undefined) return ['the content is no version: empty, mixed or cut off'];
    const problems: string[] = [];
    if (found < this.#promised) problems.push(`version ${found} is there, ${this.#promised} was promised`);
    if (found > this.#attempted) problems.push(`version ${found} is there, only ${this.#attempted} was written`);
    this.#promised = found;
    this.#attempted = found;
    return problems;
  }

  close(): void {
    // Nothing stays open between two steps.
  }

  /** The version that is there, 0 if there is no file. Undefined if it is none. */
  #found(): number | undefined {
    let content: Buffer;
    try {
      content = readFileSync(this.#path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
      throw error;
    }
    for (let version = this.#attempted; version > 0; version -= 1) {
      if (lengthOf(version) === content.length && content.equals(contentOf(version, content.length))) return version;
    }
    return undefined;
  }
}
