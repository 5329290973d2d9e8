/**
 * How long steps report how far they are. Whoever does the work (mount/, check/, metadata/) calls these; what becomes of it (a line on a
 * terminal, lines in a log, JSON, a message to another process) is decided by who passed the reporter in.
 */

/** Figures of a step so far. Leave out what is not known or makes no sense. */
export interface ProgressFigures {
  readonly done?: number;
  readonly total?: number;
  readonly bytesDone?: number;
  readonly bytesTotal?: number;
}

/** A step under way; dispose it when it is over, however it ended. */
export interface ProgressStep extends Disposable {
  /** May be called as often as convenient: reporters limit how often they show it. Figures replace the earlier ones. */
  update(figures: ProgressFigures): void;
}

export interface ProgressReporter {
  /** Begins a step. `title` as in "Uploading data"; `unit` is what `done` and `total` count, in the plural, as in "blocks". */
  step(title: string, unit?: string): ProgressStep;
}

/** Reports to nobody. */
export const silentProgress: ProgressReporter = {
  step: () => ({ update: () => undefined, [Symbol.dispose]: () => undefined }),
};

/** A reporter whose steps are reported to all of these. */
export function allReporters(reporters: readonly ProgressReporter[]): ProgressReporter {
  return {
    step(title, unit) {
      const steps = reporters.map((reporter) => reporter.step(title, unit));
      return {
        update: (figures) => steps.forEach((step) => step.update(figures)),
        [Symbol.dispose]: () => steps.forEach((step) => step[Symbol.dispose]()),
      };
    },
  };
}
