/** Publishes superblocks and remembers on this machine which one the store has for certain (choose-metadata.ts says why). */
import { readFile } from 'node:fs/promises';
import type { CompressionSpec } from '../envelope/compression-spec.ts';
import { publishSuperblock } from '../metadata/generations.ts';
import { readLocalSuperblock } from '../metadata/local-state.ts';
import { parseSuperblock, type Superblock, writeSuperblock } from '../metadata/superblock.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { replaceFile } from '../util/replace-file.ts';
import type { LocalSuperblocks } from './choose-metadata.ts';
import type { LocalDirectory } from './local-directory.ts';

export class SuperblockKeeper {
  readonly #local: LocalDirectory;
  readonly #objects: ObjectStore;
  readonly #compression: CompressionSpec;

  constructor(local: LocalDirectory, objects: ObjectStore, compression: CompressionSpec) {
    this.#local = local;
    this.#objects = objects;
    this.#compression = compression;
  }

  /** What this machine wrote and saw last; undefined if it has no copy of the file system. */
  async read(): Promise<LocalSuperblocks | undefined> {
    const written = await readLocalSuperblock(this.#local);
    if (written === undefined) return undefined;
    const path = this.#local.confirmedParamsPath;
    const text = await readFile(path).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    });
    return { written, confirmed: text && parseSuperblock(text, path) };
  }

  /** Writes the superblock here, then to the store. */
  async publish(superblock: Superblock): Promise<void> {
    await publishSuperblock(this.#objects, this.#local, superblock, { compression: this.#compression });
    await this.confirm(superblock);
  }

  /** The store has this superblock. */
  confirm(superblock: Superblock): Promise<void> {
    return replaceFile(this.#local.confirmedParamsPath, writeSuperblock(superblock));
  }
}
