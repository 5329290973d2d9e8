/**
 * Overwrites pages of a file in place. Every page has one of the versions written since the last promise, or the promised one. Pages are as large as
 * what a disk writes as a whole.
 */
import { constants, fdatasyncSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { Random } from '../../support/random.ts';
import type { Actor } from '../actor.ts';
import { closeQuietly, contentOf } from '../content.ts';

const PAGE_BYTES = 512;
const PAGE_COUNT = 1280;
const LONGEST_RUN = 400;

export class PageVersions implements Actor {
  readonly name = 'page-versions';
  readonly #path: string;
  /** Per page: the promised version and all written since. Version 0 is zeros or nothing. */
  readonly #possible: number[][] = Array.from({ length: PAGE_COUNT }, () => [0]);
  #fd: number | undefined;
  #version = 0;
  #promisedSize = 0;

  constructor(path: string) {
    this.#path = path;
  }

  step(random: Random): void {
    this.#fd ??= openSync(this.#path, constants.O_RDWR | constants.O_CREAT, 0o644);
    const first = random.below(PAGE_COUNT);
    const count = Math.min(PAGE_COUNT - first, 1 + random.below(LONGEST_RUN));
    this.#version += 1;
    for (let page = first; page < first + count; page += 1) this.#possible[page]?.push(this.#version);
    writeSync(this.#fd, this.#pages(first, count, this.#version), 0, undefined, first * PAGE_BYTES);
    if (random.below(4) === 0) this.#sync(random.below(2) === 0);
  }

  verify(): string[] {
    const problems: string[] = [];
    const content = this.#read();
    if (content.length < this.#promisedSize) problems.push(`${content.length} bytes are there, ${this.#promisedSize} were promised`);
    if (content.length % PAGE_BYTES !== 0) problems.push(`${content.length} bytes are no whole pages`);
    for (const [page, versions] of this.#possible.entries()) {
      const bytes = content.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
      const found = versions.findLast((version) =>
        bytes.equals(version === 0 ? Buffer.alloc(bytes.length) : this.#pages(page, 1, version)),
      );
      if (found === undefined) problems.push(`page ${page} is none of the versions ${versions.join(', ')}`);
      this.#possible[page] = [found ?? 0];
    }
    this.#promisedSize = content.length;
    return problems;
  }

  close(): void {
    closeQuietly(this.#fd);
    this.#fd = undefined;
  }

  #read(): Buffer {
    try {
      return readFileSync(this.#path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && this.#promisedSize === 0) return Buffer.alloc(0);
      throw error;
    }
  }

  #sync(dataOnly: boolean): void {
    if (dataOnly) fdatasyncSync(this.#fd as number);
    else fsyncSync(this.#fd as number);
    for (const [page, versions] of this.#possible.entries()) {
      this.#possible[page] = versions.slice(-1);
      if ((versions.at(-1) ?? 0) > 0) this.#promisedSize = Math.max(this.#promisedSize, (page + 1) * PAGE_BYTES);
    }
  }

  #pages(first: number, count: number, version: number): Buffer {
    return contentOf(version, count * PAGE_BYTES, first * PAGE_BYTES);
  }
}
