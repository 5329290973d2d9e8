/** The test's end of the workload process. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { WorkloadOptions, WorkloadReply, WorkloadRequest } from './workload-main.ts';

export class Workload implements AsyncDisposable {
  readonly #child: ChildProcess;

  constructor(options: WorkloadOptions) {
    this.#child = fork(fileURLToPath(new URL('workload-main.ts', import.meta.url)), { execArgv: [] });
    this.#send({ begin: options });
  }

  /** Resolves when the file system died under it or `stop` was called: why, and after how many steps. */
  async work(): Promise<{ readonly stopped: string; readonly steps: number }> {
    const reply = this.#reply();
    this.#send('work');
    const message = await reply;
    if (!('stopped' in message)) throw new Error('the workload answered something else');
    return message;
  }

  stop(): void {
    this.#send('stop');
  }

  /** What is not as promised. */
  async verify(): Promise<readonly string[]> {
    const reply = this.#reply();
    this.#send('verify');
    const message = await reply;
    if (!('problems' in message)) throw new Error('the workload answered something else');
    return message.problems;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  #send(request: WorkloadRequest): void {
    this.#child.send(request);
  }

  async #reply(): Promise<WorkloadReply> {
    const waiting = new AbortController();
    try {
      return await Promise.race([
        once(this.#child, 'message', { signal: waiting.signal }).then(([message]) => message as WorkloadReply),
        once(this.#child, 'exit', { signal: waiting.signal }).then(([code, signal]) => {
          throw new Error(`the workload ended: ${String(signal ?? code)}`);
        }),
      ]);
    } finally {
      waiting.abort();
    }
  }
}
