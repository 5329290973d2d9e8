/**
 * Objects that turned out to be missing or damaged in the store, until their content has been stored again. The file `damaged` names them, one
 * id a line, so that the next mount, too, heals them rather than link new blocks to them. It is a hint: losing a line costs a look at
 * the object when it is read.
 */
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { ObjectId } from '../metadata/types.ts';
import type { BlockCacheLog } from './block-cache-options.ts';

/** Beyond, they are not remembered: they are fetched (and fail) again. */
const MAX_COUNT = 10_000;
/** A read fails at once for so long after the object was looked at; then it is looked at again: somebody may have repaired the store. */
const KNOWN_FOR_MS = 60_000;

interface Damage {
  /** Why; undefined: an earlier mount found it. */
  readonly error: unknown;
  readonly seenMs: number;
}

export interface DamagedObjectsOptions {
  /** Undefined: nothing is remembered beyond the session. */
  readonly path: string | undefined;
  readonly isKnown: (id: ObjectId) => boolean;
  readonly log: BlockCacheLog;
}

export class DamagedObjects {
  readonly #options: DamagedObjectsOptions;
  readonly #damages = new Map<ObjectId, Damage>();

  constructor(options: DamagedObjectsOptions) {
    this.#options = options;
    const { path, isKnown } = options;
    if (path === undefined || !existsSync(path)) return;
    const ids = readFileSync(path, 'latin1').split('\n').slice(0, -1).map(Number) as ObjectId[];
    for (const id of ids.slice(0, MAX_COUNT)) {
      if (Number.isSafeInteger(id) && isKnown(id)) this.#damages.set(id, { error: undefined, seenMs: -Infinity });
    }
  }

  has(id: ObjectId): boolean {
    return this.#damages.has(id);
  }

  /** Why a read of the object fails without looking at it again. */
  recentError(id: ObjectId): unknown {
    const damage = this.#damages.get(id);
    return damage !== undefined && performance.now() - damage.seenMs < KNOWN_FOR_MS ? damage.error : undefined;
  }

  add(id: ObjectId, error: unknown): void {
    const isNew = !this.#damages.has(id);
    if (isNew && this.#damages.size >= MAX_COUNT) return;
    this.#damages.set(id, { error, seenMs: performance.now() });
    const { path } = this.#options;
    if (isNew && path !== undefined) this.#write(() => appendFileSync(path, `${id}\n`));
  }

  /** The object is as it should be (again). */
  delete(id: ObjectId): void {
    if (!this.#damages.delete(id)) return;
    const { path } = this.#options;
    if (path === undefined) return;
    this.#write(() => {
      writeFileSync(`${path}.tmp`, [...this.#damages.keys()].map((damaged) => `${damaged}\n`).join(''));
      renameSync(`${path}.tmp`, path);
    });
  }

  #write(change: () => void): void {
    try {
      change();
    } catch (error) {
      this.#options.log.error('Cannot note which objects are damaged', error);
    }
  }
}
