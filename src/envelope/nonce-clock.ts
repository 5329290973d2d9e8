/**
 * Times for nonces. An encrypted object's key depends on the secret, its name and a time (S3QL format 2.5): two versions of one object
 * with the same time would share a key stream and betray their difference. So no time is given out twice in a thread, and different
 * threads and machines, which do not write the same object at once, are apart by their clocks.
 */

const scratch = new DataView(new ArrayBuffer(8));

export class NonceClock {
  readonly #now: () => number;
  #last = 0;

  /** @param now Unix time in seconds, as fine as the machine has it */
  constructor(now: () => number = () => (performance.timeOrigin + performance.now()) / 1000) {
    this.#now = now;
  }

  /** Unix time in seconds, later than any before. */
  next(): number {
    const now = this.#now();
    this.#last = now > this.#last ? now : nextDouble(this.#last);
    return this.#last;
  }
}

/** The next larger double, for positive numbers. */
function nextDouble(value: number): number {
  scratch.setFloat64(0, value);
  scratch.setBigUint64(0, scratch.getBigUint64(0) + 1n);
  return scratch.getFloat64(0);
}
