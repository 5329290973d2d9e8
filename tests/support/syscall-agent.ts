/** The test's end of a system call agent (syscall-agent-main.ts): starts it, sends batches, awaits outcomes. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Outcome } from './syscalls/outcome.ts';
import type { Call, OutcomeOf } from './syscalls/system-calls.ts';

export interface BatchRequest {
  readonly id: number;
  readonly calls: readonly Call[];
  /** Keep descriptors, credentials, umask and working directory for the next batch. */
  readonly keep: boolean;
}

export interface BatchReply {
  readonly id: number;
  readonly outcomes: readonly Outcome[];
  /** What the agent itself stumbled over: a mistake in the test. */
  readonly failure?: string;
}

type OutcomesOf<Calls extends readonly Call[]> = { -readonly [Index in keyof Calls]: OutcomeOf<Calls[Index]> };

interface Waiting {
  resolve(outcomes: readonly Outcome[]): void;
  reject(error: Error): void;
}

export class SyscallAgent implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;

  constructor() {
    this.#child = fork(fileURLToPath(new URL('syscall-agent-main.ts', import.meta.url)), {
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (reply: BatchReply) => this.#settle(reply));
    this.#child.on('exit', (code, signal) => this.#fail(new Error(`the system call agent ended: ${signal ?? code}`)));
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Makes the calls in order, also after one fails, and undoes what they did to the agent itself. */
  run<const Calls extends readonly Call[]>(calls: Calls): Promise<OutcomesOf<Calls>> {
    return this.#send(calls, false) as Promise<OutcomesOf<Calls>>;
  }

  /** Same, but descriptors, credentials, umask and working directory stay. */
  runAndKeep<const Calls extends readonly Call[]>(calls: Calls): Promise<OutcomesOf<Calls>> {
    return this.#send(calls, true) as Promise<OutcomesOf<Calls>>;
  }

  /** Sends a signal, SIGKILL unless told otherwise, and waits for the end of the process. What was being waited for rejects. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    await ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  #send(calls: readonly Call[], keep: boolean): Promise<readonly Outcome[]> {
    const id = this.#nextId;
    this.#nextId += 1;
    const request: BatchRequest = { id, calls, keep };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send(request, (error) => {
        if (error !== null) reject(error);
      });
    });
  }

  #settle(reply: BatchReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.failure === undefined) waiting?.resolve(reply.outcomes);
    else waiting?.reject(new Error(reply.failure));
  }

  #fail(error: Error): void {
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}
