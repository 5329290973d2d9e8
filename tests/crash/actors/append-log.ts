/**
 * Appends to a file, now and then with fsync, or always with O_SYNC. What is there is a beginning of what was written, no shorter than promised.
 * After a power cut what was not promised may have zeros; as programs do that keep logs, the log is cut off there.
 */
import { constants, fdatasyncSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import type { Random } from '../../support/random.ts';
import type { Actor } from '../actor.ts';
import { closeQuietly, contentOf, isRightOrZero, rightLength, syncPath } from '../content.ts';

const LARGEST_RECORD_BYTES = 50_000;
const VERSION = 1;

export class AppendLog implements Actor {
  readonly name: string;
  readonly #path: string;
  readonly #flags: number;
  readonly #synchronous: boolean;
  readonly #mayHaveZeros: boolean;
  #fd: number | undefined;
  #promised = 0;
  #attempted = 0;

  constructor(path: string, synchronous: boolean, mayHaveZeros: boolean = false) {
    this.name = `append-log${synchronous ? ' with O_SYNC' : ''}`;
    this.#path = path;
    this.#synchronous = synchronous;
    this.#mayHaveZeros = mayHaveZeros;
    this.#flags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | (synchronous ? constants.O_SYNC : 0);
  }

  step(random: Random): void {
    this.#fd ??= openSync(this.#path, this.#flags, 0o644);
    const length = 1 + random.below(random.pick([100, LARGEST_RECORD_BYTES]));
    this.#attempted += length;
    const written = writeSync(this.#fd, contentOf(VERSION, length, this.#attempted - length));
    if (written !== length) throw new Error(`wrote ${written} of ${length} bytes`);
    if (this.#synchronous) this.#promised = this.#attempted;
    else if (random.below(6) === 0) this.#sync(random.below(2) === 0);
  }

  verify(): string[] {
    const content = this.#promised === 0 ? readOrNothing(this.#path) : readFileSync(this.#path);
    const problems: string[] = [];
    if (content.length < this.#promised) problems.push(`${content.length} bytes are there, ${this.#promised} were promised`);
    if (content.length > this.#attempted) problems.push(`${content.length} bytes are there, only ${this.#attempted} were written`);
    const expected = contentOf(VERSION, content.length);
    const length = rightLength(content, expected);
    if (length < content.length) {
      if (length < this.#promised || !this.#mayHaveZeros || !isRightOrZero(content, expected))
        problems.push(`the bytes are not what was written, from ${length} of ${content.length} on; ${this.#promised} were promised`);
      truncateSync(this.#path, length);
      syncPath(this.#path);
    }
    // What one mount shows, the next one has: it does not get lost again.
    this.#attempted = length;
    this.#promised = length;
    return problems;
  }

  close(): void {
    closeQuietly(this.#fd);
    this.#fd = undefined;
  }

  #sync(dataOnly: boolean): void {
    const length = this.#attempted;
    if (dataOnly) fdatasyncSync(this.#fd as number);
    else fsyncSync(this.#fd as number);
    this.#promised = length;
  }
}

function readOrNothing(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}
