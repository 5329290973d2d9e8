/** How work that was begun by a person speaks with that person, wherever the work runs: in the same process, or in a daemon being started. */
import type { ProgressReporter } from './progress.ts';

/** A question for something secret. */
export interface SecretQuestion {
  /** As in "Enter file system encryption passphrase". */
  readonly prompt: string;
  /** Ask a second time with this prompt, and fail with exit code 1 if the answers differ; only on a terminal. */
  readonly confirmPrompt?: string;
}

export interface Interaction {
  readonly progress: ProgressReporter;
  /** Aborted when the person gave up (Ctrl-C). */
  readonly signal: AbortSignal;
  /** Asks on the terminal without echo, or takes the next line of standard input. @throws UserError if there is no answer. */
  readonly askSecret: (question: SecretQuestion) => Promise<string>;
}
