/**
 * The bandwidth that a store may use, in both directions. Shared by all its transfers, which ask before each piece they send and after each
 * piece that arrives: a transfer that has to wait leaves the rest to the network's own flow control.
 */
import { setTimeout } from 'node:timers/promises';
import { rateAt, type RateSchedule } from './rate-schedule.ts';
import { type BandwidthClock, TokenBucket } from './token-bucket.ts';

/** Plain data; undefined: no limit. */
export interface BandwidthLimits {
  readonly upload?: RateSchedule | undefined;
  readonly download?: RateSchedule | undefined;
}

const systemBandwidthClock: BandwidthClock = {
  now: () => performance.now(),
  date: () => new Date(),
  async sleep(delayMs, signal) {
    // Its only error is that it was aborted.
    await setTimeout(delayMs, undefined, { signal }).catch(() => undefined);
  },
};

const MIN_PIECE_BYTES = 1024;
const MAX_PIECE_BYTES = 64 * 1024;
/** A piece is what passes in this part of a second, so that a transfer flows evenly. */
const PIECES_PER_SECOND = 16;

/** One direction. */
export class Throttle {
  readonly #clock: BandwidthClock;
  readonly #bucket: TokenBucket;
  #schedule: RateSchedule;

  constructor(schedule: RateSchedule = [], clock: BandwidthClock = systemBandwidthClock) {
    this.#schedule = schedule;
    this.#clock = clock;
    this.#bucket = new TokenBucket(() => rateAt(this.#schedule, this.#clock.date()), clock);
  }

  get schedule(): RateSchedule {
    return this.#schedule;
  }

  set schedule(schedule: RateSchedule) {
    this.#schedule = schedule;
    this.#bucket.rateChanged();
  }

  /** How much a transfer passes on at a time. */
  get pieceBytes(): number {
    const rate = rateAt(this.#schedule, this.#clock.date());
    return Math.min(Math.max(Math.floor(rate / PIECES_PER_SECOND), MIN_PIECE_BYTES), MAX_PIECE_BYTES);
  }

  /** Whether anything can ever have to wait, as things are. */
  get limited(): boolean {
    return this.#schedule.some(({ bytesPerSecond }) => bytesPerSecond !== undefined);
  }

  /** Waits until so many bytes may pass. @throws the signal's reason */
  async pass(sizeBytes: number, signal?: AbortSignal): Promise<void> {
    if (this.limited) await this.#bucket.take(sizeBytes, signal);
  }
}

export class Bandwidth {
  readonly upload: Throttle;
  readonly download: Throttle;

  constructor({ upload, download }: BandwidthLimits = {}, clock?: BandwidthClock) {
    this.upload = new Throttle(upload, clock);
    this.download = new Throttle(download, clock);
  }

  /** Changes the limits that are given. */
  set(limits: BandwidthLimits): void {
    if (limits.upload !== undefined) this.upload.schedule = limits.upload;
    if (limits.download !== undefined) this.download.schedule = limits.download;
  }
}
