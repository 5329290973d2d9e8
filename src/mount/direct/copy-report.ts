/** What a copy has done so far, for progress and for the summary. */
import type { CopySummary } from '../../cli/run-direct.ts';
import type { ProgressStep } from '../../util/progress.ts';

export class CopyReport {
  readonly #step: ProgressStep;
  #fileCount = 0;
  #directoryCount = 0;
  #bytes = 0;

  constructor(step: ProgressStep) {
    this.#step = step;
  }

  file(): void {
    this.#fileCount += 1;
    this.#show();
  }

  directory(): void {
    this.#directoryCount += 1;
  }

  data(bytes: number): void {
    this.#bytes += bytes;
    this.#show();
  }

  summary(failedCount: number): CopySummary {
    return { fileCount: this.#fileCount, directoryCount: this.#directoryCount, bytes: this.#bytes, failedCount };
  }

  #show(): void {
    this.#step.update({ done: this.#fileCount, bytesDone: this.#bytes });
  }
}
