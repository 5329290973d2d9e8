/**
 * A log file that is appended to line by line and set aside when it has grown too large: `name` becomes `name.1`, that becomes `name.2`, ...
 * The oldest is deleted. Lines are written synchronously and are in the kernel when `write` returns.
 *
 * A disk that is full loses lines, never the program: how many were lost is said in the file once there is room again.
 * Several processes may write the same file, and others may move it away: whoever finds it moved begins the new one.
 */
import { closeSync, fstatSync, openSync, renameSync, statSync, writeSync, type Stats } from 'node:fs';

export interface RotatingFileOptions {
  readonly maximumSizeBytes?: number;
  /** How many old files are kept besides the current one. */
  readonly oldFileCount?: number;
}

const DEFAULT_MAXIMUM_SIZE_BYTES = 10 * 1024 * 1024;
const DEFAULT_OLD_FILE_COUNT = 5;
/** Logs may name files: for the owner's eyes only. */
const FILE_MODE = 0o600;

export class RotatingFile implements Disposable {
  readonly path: string;
  readonly #maximumSizeBytes: number;
  readonly #oldFileCount: number;
  #fd: number;
  #lostLineCount = 0;

  /** @throws the system's error if the file cannot be opened for writing */
  constructor(path: string, options: RotatingFileOptions = {}) {
    this.path = path;
    this.#maximumSizeBytes = options.maximumSizeBytes ?? DEFAULT_MAXIMUM_SIZE_BYTES;
    this.#oldFileCount = options.oldFileCount ?? DEFAULT_OLD_FILE_COUNT;
    this.#fd = openSync(path, 'a', FILE_MODE);
  }

  /** Appends a line; its end is added. Never throws. */
  write(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    try {
      this.#makeRoom(bytes.length);
      if (this.#lostLineCount > 0) this.#append(Buffer.from(`(${this.#lostLineCount} lines could not be written)\n`));
      this.#lostLineCount = 0;
      this.#append(bytes);
    } catch {
      this.#lostLineCount += 1;
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #append(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) done += writeSync(this.#fd, bytes, done);
  }

  #makeRoom(lengthBytes: number): void {
    const current: Stats | undefined = statSync(this.path, { throwIfNoEntry: false });
    if (current !== undefined && current.ino === fstatSync(this.#fd).ino) {
      if (current.size === 0 || current.size + lengthBytes <= this.#maximumSizeBytes) return;
      this.#rename();
    }
    const fd = openSync(this.path, 'a', FILE_MODE);
    closeSync(this.#fd);
    this.#fd = fd;
  }

  #rename(): void {
    for (let age = this.#oldFileCount - 1; age >= 0; age -= 1) {
      try {
        renameSync(age === 0 ? this.path : `${this.path}.${age}`, `${this.path}.${age + 1}`);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
  }
}
