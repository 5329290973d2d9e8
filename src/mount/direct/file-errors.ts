/** Errors about single files: one line each, the command goes on with the next file and fails in the end. */
import { EXIT_ERROR, EXIT_OK } from '../../cli/exit-codes.ts';
import { errnoText } from '../../util/errno-text.ts';
import { UserError } from '../../util/errors.ts';
import { logger } from '../../util/log.ts';
import { shownName } from './shown-name.ts';

const log = logger('direct');

export class FileErrors {
  readonly #signal: AbortSignal;
  #count = 0;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  get count(): number {
    return this.#count;
  }

  /** Notes what went wrong with the file. @throws the error if it is none of a file, or if the command was interrupted */
  add(path: Uint8Array, error: unknown): void {
    this.#signal.throwIfAborted();
    const text = error instanceof UserError ? error.message : errnoText(error);
    if (text === undefined) throw error;
    this.#count += 1;
    log.error('%s: %s', shownName(path), text);
  }

  get exitCode(): number {
    return this.#count > 0 ? EXIT_ERROR : EXIT_OK;
  }
}
