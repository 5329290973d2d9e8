/** Bodies of requests and answers that flow no faster than a bandwidth allows. */
import type { Throttle } from '../bandwidth/bandwidth.ts';

/**
 * A body in pieces, each when its time has come. The silence of the connection is watched here: undici takes a pause of ours for one of the
 * server's.
 */
export async function* pacedBody(
  parts: readonly Uint8Array[],
  throttle: Throttle,
  silence: SilenceWatch,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    for (let at = 0; at < part.byteLength;) {
      const piece = part.subarray(at, at + throttle.pieceBytes);
      at += piece.byteLength;
      silence.stop();
      await throttle.pass(piece.byteLength, signal);
      silence.start();
      yield piece;
    }
  }
  silence.start();
}

/** All of an answer's body. What is not read yet waits in the network. */
export async function readPaced(
  body: AsyncIterable<Uint8Array>,
  throttle: Throttle,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) {
    await throttle.pass(piece.byteLength, signal);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Aborts a request when its connection has taken nothing, and said nothing, for too long. */
export class SilenceWatch implements Disposable {
  readonly #timeoutMs: number;
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Aborted, with an error that says so, after the silence. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The server's turn: from now on it counts. */
  start(): void {
    this.stop();
    this.#timer = setTimeout(() => {
      this.#controller.abort(Object.assign(new Error('the server was silent'), { code: 'UND_ERR_HEADERS_TIMEOUT' }));
    }, this.#timeoutMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}
