/** Results on standard output, as fast as they are taken. */
import { once } from 'node:events';
import { shownName } from './shown-name.ts';

/** What is written at once at least, but for the end. */
const CHUNK_BYTES = 64 * 1024;

export class ResultWriter implements AsyncDisposable {
  readonly #stream: NodeJS.WriteStream;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  constructor(stream: NodeJS.WriteStream = process.stdout) {
    this.#stream = stream;
  }

  /** A file name as the reader needs it: a terminal must not be commanded by it, a program wants the bytes. */
  name(name: Uint8Array): Uint8Array {
    return this.#stream.isTTY ? Buffer.from(shownName(name)) : name;
  }

  async write(...parts: readonly (Uint8Array | string)[]): Promise<void> {
    for (const part of parts) {
      const bytes = typeof part === 'string' ? Buffer.from(part) : part;
      this.#pending.push(bytes);
      this.#pendingBytes += bytes.length;
    }
    if (this.#pendingBytes >= CHUNK_BYTES) await this.#flush();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#pendingBytes === 0) return;
    const chunk = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    // A reader that has gone ends the process (main.ts).
    if (!this.#stream.write(chunk)) await once(this.#stream, 'drain');
  }
}
