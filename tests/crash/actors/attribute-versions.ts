/** Changes mode, mtime and an extended attribute of a file, one after the other. What is there is the state after one of these changes, no older than promised. */
import { chmodSync, fsyncSync, openSync, statSync, utimesSync, closeSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Random } from '../../support/random.ts';
import { xattrCalls } from '../../support/syscalls/xattr-calls.ts';
import type { Actor } from '../actor.ts';
import { syncPath } from '../content.ts';

const XATTR = 'user.version';

interface State {
  readonly mode: number;
  readonly mtime: number;
  readonly xattr: string;
}

export class AttributeVersions implements Actor {
  readonly name = 'attribute-versions';
  readonly #path: string;
  #states: State[] = [];
  #version = 0;

  constructor(path: string) {
    this.#path = path;
  }

  step(random: Random): void {
    if (this.#states.length === 0) this.#begin();
    this.#version += 1;
    const state = this.#states.at(-1) as State;
    const change = random.pick(['mode', 'mtime', 'xattr'] as const);
    if (change === 'mode') {
      const mode = 0o600 + (this.#version % 64);
      this.#states.push({ ...state, mode });
      chmodSync(this.#path, mode);
    } else if (change === 'mtime') {
      this.#states.push({ ...state, mtime: this.#version });
      utimesSync(this.#path, 0, this.#version);
    } else {
      this.#states.push({ ...state, xattr: String(this.#version) });
      const { error } = xattrCalls.setxattr(this.#path, XATTR, String(this.#version));
      if (error !== undefined) throw new Error(`setxattr: ${error}`);
    }
    if (random.below(10) === 0) {
      syncPath(this.#path);
      this.#states = this.#states.slice(-1);
    }
  }

  verify(): string[] {
    if (this.#states.length === 0) return [];
    const { mode, mtimeMs } = statSync(this.#path);
    const xattr = Buffer.from(xattrCalls.getxattr(this.#path, XATTR).data ?? []).toString();
    const found: State = { mode: mode & 0o7777, mtime: mtimeMs / 1000, xattr };
    const known = this.#states.some((state) => isDeepStrictEqual(state, found));
    const problems = known ? [] : [`${JSON.stringify(found)} is none of ${JSON.stringify(this.#states)}`];
    this.#states = [found];
    return problems;
  }

  close(): void {
    // Nothing stays open between two steps.
  }

  #begin(): void {
    const fd = openSync(this.#path, 'w', 0o600);
    try {
      utimesSync(this.#path, 0, 0);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    this.#states = [{ mode: 0o600, mtime: 0, xattr: '' }];
  }
}
