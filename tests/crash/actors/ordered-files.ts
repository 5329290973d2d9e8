/**
 * Makes and removes files in a fixed order, mostly without any fsync. The names that are there are those of one moment between the last
 * promise and the crash: later changes never survive earlier ones that don't. A file that was fsynced has its content; another may be shorter, and
 * after a power cut have zeros.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, readdirSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../support/random.ts';
import type { Actor } from '../actor.ts';
import { contentOf, isRightOrZero, syncPath } from '../content.ts';

const MOST_FILES = 60;
const LARGEST_BYTES = 3000;

/** Files `first` to `end` - 1 are there. */
interface Moment {
  readonly first: number;
  readonly end: number;
}

export class OrderedFiles implements Actor {
  readonly name = 'ordered-files';
  readonly #directory: string;
  readonly #mayHaveZeros: boolean;
  /** The promised moment and all since. */
  #moments: Moment[] = [{ first: 0, end: 0 }];
  /** Files whose own content was promised. */
  readonly #synced = new Set<number>();
  #begun = false;

  constructor(directory: string, mayHaveZeros: boolean = false) {
    this.#directory = directory;
    this.#mayHaveZeros = mayHaveZeros;
  }

  step(random: Random): void {
    if (!this.#begun) {
      mkdirSync(this.#directory, { recursive: true });
      syncPath(join(this.#directory, '..'));
      this.#begun = true;
    }
    const { first, end } = this.#now();
    if (end - first >= MOST_FILES || (end > first && random.below(3) === 0)) this.#remove(first, end);
    else this.#make(first, end, random.below(8) === 0);
    if (random.below(12) === 0) {
      syncPath(this.#directory);
      this.#moments = [this.#now()];
    }
  }

  verify(): string[] {
    if (!this.#begun) return [];
    mkdirSync(this.#directory, { recursive: true });
    const found = readdirSync(this.#directory)
      .map(Number)
      .sort((a, b) => a - b);
    const problems = this.#judge(found);
    for (const file of found) {
      const content = readFileSync(join(this.#directory, String(file)));
      const whole = this.#content(file);
      const mayHaveZeros = this.#mayHaveZeros && !this.#synced.has(file);
      if (!(mayHaveZeros ? isRightOrZero(content, whole) : content.equals(whole.subarray(0, content.length))))
        problems.push(`file ${file} has a content that was never written`);
      if (this.#synced.has(file) && content.length !== whole.length) problems.push(`file ${file} is cut off after an fsync`);
    }
    const first = found[0] ?? this.#now().end;
    this.#moments = [{ first, end: (found.at(-1) ?? first - 1) + 1 }];
    return problems;
  }

  close(): void {
    // Nothing stays open between two steps.
  }

  #now(): Moment {
    return this.#moments.at(-1) as Moment;
  }

  #judge(found: readonly number[]): string[] {
    const [first = 0] = found;
    const end = (found.at(-1) ?? -1) + 1;
    if (found.length > 0 && end - first !== found.length) return [`there is a gap in the files ${found.join(', ')}`];
    const some = this.#moments.some((moment) =>
      found.length === 0 ? moment.first === moment.end : moment.first === first && moment.end === end,
    );
    const { first: promisedFirst, end: promisedEnd } = this.#moments[0] as Moment;
    return some ? [] : [`files ${first} to ${end - 1} never were all that was there (promised: ${promisedFirst} to ${promisedEnd - 1})`];
  }

  #make(first: number, end: number, synced: boolean): void {
    // The name comes with open, even if the content never gets there.
    this.#moments.push({ first, end: end + 1 });
    const fd = openSync(join(this.#directory, String(end)), 'wx');
    try {
      writeSync(fd, this.#content(end));
      if (synced) {
        fsyncSync(fd);
        this.#synced.add(end);
      }
    } finally {
      closeSync(fd);
    }
  }

  #remove(first: number, end: number): void {
    this.#moments.push({ first: first + 1, end });
    this.#synced.delete(first);
    unlinkSync(join(this.#directory, String(first)));
  }

  #content(file: number): Buffer {
    return contentOf(file, 1 + ((file * 613) % LARGEST_BYTES));
  }
}
