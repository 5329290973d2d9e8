/** The test's end of a fuzzer (fuzzer-main.ts): starts it, counts what it reports, kills it in the middle of whatever it does. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FuzzerOrder, FuzzerReport } from './fuzzer-main.ts';

/** Died of touching a mapping that another one had cut off: no fault of the file system. */
const FORESEEN_SIGNALS: ReadonlySet<NodeJS.Signals> = new Set<NodeJS.Signals>(['SIGKILL', 'SIGBUS']);

/** What all fuzzers of a test did. */
export class FuzzerStatistics {
  readonly calls: Map<string, { succeeded: number; failed: number }> = new Map();
  /** How fuzzers ended that should not have. */
  readonly strangeEnds: string[] = [];

  add(report: FuzzerReport): void {
    for (const [name, { succeeded, failed }] of Object.entries(report)) {
      const count = this.calls.get(name) ?? { succeeded: 0, failed: 0 };
      this.calls.set(name, { succeeded: count.succeeded + succeeded, failed: count.failed + failed });
    }
  }

  get callCount(): number {
    return [...this.calls.values()].reduce((sum, { succeeded, failed }) => sum + succeeded + failed, 0);
  }

  get successCount(): number {
    return [...this.calls.values()].reduce((sum, { succeeded }) => sum + succeeded, 0);
  }
}

export class Fuzzer implements AsyncDisposable {
  readonly #child: ChildProcess;

  constructor(order: FuzzerOrder, statistics: FuzzerStatistics) {
    this.#child = fork(fileURLToPath(new URL('fuzzer-main.ts', import.meta.url)), {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child.on('message', (report: FuzzerReport) => statistics.add(report));
    this.#child.on('exit', (code, signal) => {
      if (signal === null || !FORESEEN_SIGNALS.has(signal)) statistics.strangeEnds.push(`seed ${order.seed}: ${signal ?? code}`);
    });
    this.#child.send(order);
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async kill(): Promise<void> {
    if (this.hasEnded) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
