/**
 * Reads secrets from a person: on a terminal without echo, elsewhere as lines of standard input. What was typed ahead is kept for the next
 * question. The terminal is as it was whenever no question is open.
 */
import { UserError } from '../util/errors.ts';
import type { SecretQuestion } from '../util/interaction.ts';
import { InterruptedError } from './report-error.ts';

/** The part of process.stdin that is used. */
export interface SecretInput extends NodeJS.EventEmitter {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
  resume(): unknown;
  pause(): unknown;
}

/** Longer answers are refused: something else than a person is feeding us. */
const MAXIMUM_LENGTH_BYTES = 64 * 1024;

const CTRL_C = 0x03;
const CTRL_D = 0x04;
const BACKSPACE = 0x08;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const CTRL_U = 0x15;
const ESCAPE = 0x1b;
const DELETE = 0x7f;

export class SecretReader {
  readonly #input: SecretInput;
  readonly #writePrompt: (text: string) => void;
  /** Arrived, but not part of an answer yet. */
  #pending: Buffer = Buffer.alloc(0);
  #ended = false;

  constructor(input: SecretInput = process.stdin, writePrompt: (text: string) => void = (text) => void process.stderr.write(text)) {
    this.#input = input;
    this.#writePrompt = writePrompt;
  }

  /** @throws UserError if there is no answer or the two differ, InterruptedError on Ctrl-C */
  async ask(question: SecretQuestion, signal?: AbortSignal): Promise<string> {
    if (this.#input.isTTY !== true) return this.#readLine(question.prompt, signal);
    const answer = await this.#readHidden(question.prompt, signal);
    if (question.confirmPrompt !== undefined && (await this.#readHidden(question.confirmPrompt, signal)) !== answer) {
      throw new UserError('the two entries differ: nothing was changed');
    }
    return answer;
  }

  async #readLine(prompt: string, signal: AbortSignal | undefined): Promise<string> {
    for (;;) {
      const end = this.#pending.indexOf(NEWLINE);
      if (end >= 0 || this.#ended) {
        if (end < 0 && this.#pending.length === 0) throw new UserError(`standard input ended where a line was expected for "${prompt}"`);
        const line = this.#pending.subarray(0, end < 0 ? undefined : end);
        this.#pending = end < 0 ? Buffer.alloc(0) : this.#pending.subarray(end + 1);
        return decode(line.at(-1) === RETURN ? line.subarray(0, -1) : line);
      }
      await this.#more(signal);
    }
  }

  async #readHidden(prompt: string, signal: AbortSignal | undefined): Promise<string> {
    // First no echo, then the prompt: who answers it fast must not be seen either.
    this.#input.setRawMode?.(true);
    this.#writePrompt(`${prompt}: `);
    const editor = new LineEditor();
    try {
      for (;;) {
        const used = editor.feed(this.#pending);
        this.#pending = this.#pending.subarray(used);
        if (editor.answer !== undefined) return decode(editor.answer);
        if (this.#ended) throw new UserError(`the terminal was closed where an answer was expected for "${prompt}"`);
        await this.#more(signal);
      }
    } finally {
      this.#input.setRawMode?.(false);
      this.#writePrompt('\n');
    }
  }

  /** Waits until more has arrived or the input has ended. */
  async #more(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onData = (chunk: Buffer): void => {
      this.#pending = Buffer.concat([this.#pending, chunk]);
      if (this.#pending.length > MAXIMUM_LENGTH_BYTES) reject(new UserError(`an answer may have at most ${MAXIMUM_LENGTH_BYTES} bytes`));
      else resolve();
    };
    const onEnd = (): void => {
      this.#ended = true;
      resolve();
    };
    const onAbort = (): void => reject(new InterruptedError());
    if (signal?.aborted === true) throw new InterruptedError();
    this.#input.on('data', onData);
    this.#input.once('end', onEnd);
    this.#input.once('error', reject);
    signal?.addEventListener('abort', onAbort);
    this.#input.resume();
    try {
      await promise;
    } finally {
      this.#input.off('data', onData);
      this.#input.off('end', onEnd);
      this.#input.off('error', reject);
      signal?.removeEventListener('abort', onAbort);
      // A flowing stream would keep the process alive.
      this.#input.pause();
    }
  }
}

/** What a terminal in raw mode leaves to the program: rubbing out, giving up, keys that are no characters. */
class LineEditor {
  answer: Buffer | undefined;
  readonly #bytes: number[] = [];
  /** Inside the escape sequence of a key such as an arrow: `start` after ESC, `body` after ESC [. */
  #escape: 'start' | 'body' | undefined;

  /** Returns how many bytes were used; fewer than all only if the answer is complete. */
  feed(chunk: Uint8Array): number {
    for (const [index, byte] of chunk.entries()) {
      if (this.#escape !== undefined) this.#skip(byte);
      else if (byte === NEWLINE || byte === RETURN) {
        this.answer = Buffer.from(this.#bytes);
        return index + 1;
      } else this.#key(byte);
    }
    return chunk.length;
  }

  #key(byte: number): void {
    if (byte === CTRL_C) throw new InterruptedError();
    if (byte === CTRL_D && this.#bytes.length === 0) throw new UserError('no answer was given');
    if (byte === ESCAPE) this.#escape = 'start';
    else if (byte === CTRL_U) this.#bytes.length = 0;
    else if (byte === BACKSPACE || byte === DELETE) this.#rubOut();
    else if (byte >= 0x20) this.#bytes.push(byte);
  }

  /** Takes away one character: in UTF-8, the bytes that continue it and its first. */
  #rubOut(): void {
    for (let byte = this.#bytes.pop(); byte !== undefined && (byte & 0xc0) === 0x80; byte = this.#bytes.pop());
  }

  #skip(byte: number): void {
    if (this.#escape === 'start') this.#escape = byte === 0x5b || byte === 0x4f ? 'body' : undefined;
    else if (byte >= 0x40 && byte <= 0x7e) this.#escape = undefined;
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new UserError('the answer is not valid UTF-8', 1, { cause: error });
  }
}
