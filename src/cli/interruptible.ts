/** Commands that give up in good order on Ctrl-C and SIGTERM. */
import { InterruptedError } from './report-error.ts';
import { abortOnInterrupt } from './run-mkfs.ts';

/** Runs the work with a signal that an interrupt aborts. @throws InterruptedError whatever the work throws after an interrupt */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  using interrupt = abortOnInterrupt();
  try {
    return await work(interrupt.signal);
  } catch (error) {
    throw interrupt.signal.aborted ? new InterruptedError({ cause: error }) : error;
  }
}
