/**
 * Long steps, measured: counts, rates and time left of the steps under way, shown on a display (progress-display.ts) at that display's pace.
 * A step that is over before it would be shown for the first time is never mentioned.
 */
import type { ProgressFigures, ProgressReporter, ProgressStep } from '../util/progress.ts';

/** Rates are taken over this much of the past. */
const RATE_WINDOW_MS = 10_000;

/** A step's state at some moment, as a display shows it. */
export interface ProgressSnapshot extends ProgressFigures {
  readonly title: string;
  readonly unit: string;
  readonly elapsedMs: number;
  /** Of late, not on average. */
  readonly itemsPerSecond?: number;
  readonly bytesPerSecond?: number;
  readonly leftMs?: number;
}

export interface ProgressDisplay {
  readonly intervalMs: number;
  /** All steps under way, in the order they began; none once all are over. */
  show(steps: readonly ProgressSnapshot[]): void;
  /** A step that was shown is over. */
  finished(step: ProgressSnapshot): void;
}

/** A reporter that shows its steps on a display at the display's pace. `now` in milliseconds from any fixed moment. */
export function reportProgress(display: ProgressDisplay, now: () => number = () => performance.now()): ProgressReporter {
  const steps = new Set<Step>();
  let timer: NodeJS.Timeout | undefined;
  const tick = (): void => display.show([...steps].map((step) => step.shownSnapshot()));
  return {
    step(title, unit = 'items') {
      const step = new Step(title, unit, now, () => {
        steps.delete(step);
        if (steps.size === 0) clearInterval(timer);
        if (!step.shown) return;
        display.show([...steps].map((other) => other.shownSnapshot()));
        display.finished(step.snapshot());
      });
      // A timer and not the updates decide when to show, so that steps that hang are seen to.
      if (steps.size === 0) timer = setInterval(tick, display.intervalMs).unref();
      steps.add(step);
      return step;
    },
  };
}

interface Sample {
  readonly atMs: number;
  readonly done: number;
  readonly bytesDone: number;
}

class Step implements ProgressStep {
  readonly #title: string;
  readonly #unit: string;
  readonly #now: () => number;
  readonly #over: () => void;
  readonly #startMs: number;
  #figures: ProgressFigures = {};
  /** Oldest first; the first lies at most RATE_WINDOW_MS before the last, but for the one needed to have two. */
  readonly #samples: Sample[] = [];
  shown = false;

  constructor(title: string, unit: string, now: () => number, over: () => void) {
    this.#title = title;
    this.#unit = unit;
    this.#now = now;
    this.#over = over;
    this.#startMs = now();
    this.#samples.push({ atMs: this.#startMs, done: 0, bytesDone: 0 });
  }

  update(figures: ProgressFigures): void {
    this.#figures = { ...this.#figures, ...figures };
  }

  [Symbol.dispose](): void {
    this.#over();
  }

  shownSnapshot(): ProgressSnapshot {
    this.shown = true;
    const sample = { atMs: this.#now(), done: this.#figures.done ?? 0, bytesDone: this.#figures.bytesDone ?? 0 };
    this.#samples.push(sample);
    while (this.#samples.length > 2 && sample.atMs - (this.#samples[0]?.atMs ?? 0) > RATE_WINDOW_MS) this.#samples.shift();
    return this.snapshot();
  }

  snapshot(): ProgressSnapshot {
    const figures = this.#figures;
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    const seconds = first !== undefined && last !== undefined ? (last.atMs - first.atMs) / 1000 : 0;
    const rate = (key: 'done' | 'bytesDone'): number | undefined =>
      figures[key] === undefined || seconds <= 0 ? undefined : ((last?.[key] ?? 0) - (first?.[key] ?? 0)) / seconds;
    const itemsPerSecond = rate('done');
    const bytesPerSecond = rate('bytesDone');
    const leftMs =
      timeLeftMs(figures.bytesDone, figures.bytesTotal, bytesPerSecond) ?? timeLeftMs(figures.done, figures.total, itemsPerSecond);
    return {
      title: this.#title,
      unit: this.#unit,
      elapsedMs: this.#now() - this.#startMs,
      ...figures,
      ...(itemsPerSecond === undefined ? {} : { itemsPerSecond }),
      ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
      ...(leftMs === undefined ? {} : { leftMs }),
    };
  }
}

function timeLeftMs(done: number | undefined, total: number | undefined, perSecond: number | undefined): number | undefined {
  if (done === undefined || total === undefined || perSecond === undefined || perSecond <= 0) return undefined;
  return (Math.max(0, total - done) / perSecond) * 1000;
}
