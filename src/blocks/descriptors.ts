/**
 * Open descriptors of segments, at most `limit` of them (more only while more are pinned). The least recently used is closed.
 */
import { closeSync, constants, openSync } from 'node:fs';
import type { Segment } from './segment.ts';

export class Descriptors implements Disposable {
  readonly #limit: number;
  /** In order of last use. */
  readonly #open = new Set<Segment>();
  #latest: Segment | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** The segment's descriptor, valid until the caller yields; `pin` makes it last. */
  fd(segment: Segment): number {
    if (segment === this.#latest) return segment.fd;
    if (segment.fd >= 0) this.#open.delete(segment);
    else {
      this.#closeOldest();
      segment.fd = openSync(segment.path, constants.O_RDWR);
    }
    this.#open.add(segment);
    this.#latest = segment;
    return segment.fd;
  }

  /** Creates the segment's file, which must not exist. */
  create(segment: Segment): number {
    this.#closeOldest();
    segment.fd = openSync(segment.path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
    this.#open.add(segment);
    this.#latest = segment;
    return segment.fd;
  }

  pin(segment: Segment): number {
    const fd = this.fd(segment);
    segment.pinCount += 1;
    return fd;
  }

  unpin(segment: Segment): void {
    segment.pinCount -= 1;
  }

  close(segment: Segment): void {
    if (segment.fd < 0) return;
    this.#open.delete(segment);
    if (this.#latest === segment) this.#latest = undefined;
    const fd = segment.fd;
    segment.fd = -1;
    closeSync(fd);
  }

  #closeOldest(): void {
    if (this.#open.size < this.#limit) return;
    for (const segment of this.#open) {
      if (segment.pinCount > 0) continue;
      this.close(segment);
      return;
    }
  }

  [Symbol.dispose](): void {
    for (const segment of this.#open) this.close(segment);
  }
}
