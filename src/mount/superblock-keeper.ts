/**
 * Publishes superblocks and remembers on this machine which one the store has for certain (choose-metadata.ts says why).
 *
 * A machine that was cut off, or asleep, in the middle of publishing must not put its superblock over that of another which took over since.
 * So the current superblock is replaced only if it is the one written here last, where the store can see to that; everywhere a request to
 * replace it is given up after a while, and whether the file system is still ours is found out anew before the next.
 */
import { readFile } from 'node:fs/promises';
import { BackendError, PreconditionFailedError } from '../backends/errors.ts';
import type { CompressionSpec } from '../envelope/compression-spec.ts';
import { readLocalSuperblock, writeLocalSuperblock } from '../metadata/local-state.ts';
import { generationKey, SUPERBLOCK_KEY } from '../metadata/object-keys.ts';
import { parseSuperblock, type Superblock, writeSuperblock } from '../metadata/superblock.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { replaceFile } from '../util/replace-file.ts';
import type { LocalSuperblocks } from './choose-metadata.ts';
import type { LocalDirectory } from './local-directory.ts';

/** Long for a request, short for a machine to be lost and another to take over. */
const REPLACE_TIMEOUT_MS = 30_000;
const REPLACE_ATTEMPTS = 10;

export interface PublishOptions {
  readonly signal?: AbortSignal;
  /** Called right before the current superblock is replaced. @throws if the file system is not ours any more */
  readonly requireOwned?: () => Promise<void>;
}

export class SuperblockKeeper {
  readonly #local: LocalDirectory;
  readonly #objects: ObjectStore;
  readonly #compression: CompressionSpec;
  /** Of the current superblock, as last written here; undefined if that is not known. */
  #version: string | undefined;

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

  /** Makes the superblock current: on this machine, in the store as that of its generation, then as the current one. What it refers to must be durable there. */
  async publish(superblock: Superblock, options: PublishOptions = {}): Promise<void> {
    const { signal, requireOwned } = options;
    // Before anything that a later look would take for the file system's last state.
    await requireOwned?.();
    await writeLocalSuperblock(this.#local, superblock);
    const request = { compression: this.#compression, ...(signal === undefined ? {} : { signal }) };
    await this.#objects.put(generationKey(superblock.seqNo), writeSuperblock(superblock), request);
    for (let attempt = 1; !(await this.#replaceCurrent(superblock, options)); attempt += 1) {
      if (attempt === REPLACE_ATTEMPTS) throw new BackendError('the store does not take the superblock', { temporary: true });
    }
    await this.confirm(superblock);
  }

  /** The store has this superblock. */
  confirm(superblock: Superblock): Promise<void> {
    return replaceFile(this.#local.confirmedParamsPath, writeSuperblock(superblock));
  }

  /** False: it may or may not be there. */
  async #replaceCurrent(superblock: Superblock, { signal, requireOwned }: PublishOptions): Promise<boolean> {
    await requireOwned?.();
    const timeout = AbortSignal.timeout(REPLACE_TIMEOUT_MS);
    const condition = this.#version === undefined ? {} : { ifVersion: this.#version };
    this.#version = undefined;
    try {
      const { version } = await this.#objects.put(SUPERBLOCK_KEY, writeSuperblock(superblock), {
        compression: this.#compression,
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
        ...condition,
      });
      this.#version = version;
      return true;
    } catch (error) {
      signal?.throwIfAborted();
      if (timeout.aborted || error instanceof PreconditionFailedError) return false;
      throw error;
    }
  }
}
