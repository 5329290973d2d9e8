/**
 * The directory that holds everything of one file system on this machine (ARCHITECTURE.md, "Local state"), and the lock that makes sure that
 * one process at a time uses it. The kernel releases the lock when the process dies, so a crash leaves nothing to clean up.
 */
import { closeSync, constants, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync, existsSync, ftruncateSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalPaths } from '../metadata/local-state.ts';
import { UserError } from '../util/errors.ts';
import { flockSync, LOCK_EX, LOCK_NB } from '../util/libc.ts';

const EXIT_CACHEDIR_NOT_ACCESSIBLE = 45;
const EXIT_MOUNTED_HERE = 40;

export class LocalDirectory implements LocalPaths, Disposable {
  readonly path: string;
  #lockDescriptor: number | undefined;

  /**
   * Makes the directory if needed and locks it.
   * @throws UserError exit 45 if it can't be made or written, 40 if another process has it
   */
  constructor(cachedir: string, canonicalUrl: string) {
    this.path = join(cachedir, escapeUrl(canonicalUrl));
    try {
      mkdirSync(this.path, { recursive: true, mode: 0o700 });
      this.#lockDescriptor = openSync(join(this.path, 'lock'), constants.O_RDWR | constants.O_CREAT, 0o600);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new UserError(`Cannot use the cache directory ${cachedir}: ${reason}`, EXIT_CACHEDIR_NOT_ACCESSIBLE, { cause: error });
    }
    try {
      flockSync(this.#lockDescriptor, LOCK_EX | LOCK_NB);
    } catch {
      const holder = readFileSync(join(this.path, 'lock'), 'latin1').trim();
      closeSync(this.#lockDescriptor);
      const who = holder === '' ? 'another process' : `process ${holder}`;
      throw new UserError(
        `The file system is in use on this machine by ${who} (is it mounted? see umount.s3ql): ${canonicalUrl}`,
        EXIT_MOUNTED_HERE,
      );
    }
    ftruncateSync(this.#lockDescriptor, 0);
    writeSync(this.#lockDescriptor, `${process.pid}\n`, 0);
  }

  get databasePath(): string {
    return join(this.path, 'metadata.db');
  }

  get paramsPath(): string {
    return join(this.path, 'params');
  }

  get piecesPath(): string {
    return join(this.path, 'pieces');
  }

  /** The superblock last known to be in the store. */
  get confirmedParamsPath(): string {
    return join(this.path, 'params.confirmed');
  }

  /** Which leases in the store are this machine's (lease.ts). Stays when the copy goes. */
  get leasePath(): string {
    return join(this.path, 'lease');
  }

  get segmentsPath(): string {
    return join(this.path, 'segments');
  }

  /** Removes the local copy of everything (not the lock). */
  clear(): void {
    for (const path of this.#contents()) rmSync(path, { recursive: true, force: true });
  }

  /** Moves the local copy of everything aside, into a new subdirectory; returns its path. */
  setAside(): string {
    let number = 0;
    while (existsSync(join(this.path, `set-aside-${number}`))) number += 1;
    const aside = join(this.path, `set-aside-${number}`);
    mkdirSync(aside, { mode: 0o700 });
    for (const path of this.#contents()) {
      if (existsSync(path)) renameSync(path, join(aside, path.slice(this.path.length + 1)));
    }
    return aside;
  }

  [Symbol.dispose](): void {
    if (this.#lockDescriptor === undefined) return;
    closeSync(this.#lockDescriptor);
    this.#lockDescriptor = undefined;
  }

  #contents(): string[] {
    const { databasePath } = this;
    return [
      this.paramsPath,
      this.confirmedParamsPath,
      this.piecesPath,
      this.segmentsPath,
      databasePath,
      `${databasePath}-wal`,
      `${databasePath}-shm`,
    ];
  }
}

/** A storage URL as a file name, reversible: `=` becomes `=3D`, `/` becomes `=2F`. */
export function escapeUrl(url: string): string {
  return url.replaceAll('=', '=3D').replaceAll('/', '=2F').replaceAll('\0', '=00');
}
