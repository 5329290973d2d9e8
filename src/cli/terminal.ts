/**
 * The terminal (or file, or pipe) that messages for people go to. Lines scroll; below them, on a terminal only, there may be one status line
 * that is overwritten in place.
 */
import { styleText } from 'node:util';

/** Like process.stderr, whose writes are synchronous. */
export interface MessageStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

type Style = 'red' | 'yellow' | 'dim';

const CLEAR_LINE = '\r\u001B[K';
const DEFAULT_COLUMNS = 80;

export class Terminal {
  /** Whether lines can be overwritten. */
  readonly interactive: boolean;
  readonly #stream: MessageStream;
  #status = '';

  constructor(stream: MessageStream = process.stderr, environment: NodeJS.ProcessEnv = process.env) {
    this.#stream = stream;
    this.interactive = stream.isTTY === true && environment['TERM'] !== 'dumb';
  }

  /** Writes a line above the status line. */
  line(text: string): void {
    this.#stream.write(this.#status === '' ? `${text}\n` : `${CLEAR_LINE}${text}\n${this.#status}`);
  }

  /** How much of a status line is shown. One column stays free: a full line would wrap. */
  get statusColumns(): number {
    const { columns } = this.#stream;
    // A terminal that nobody has told its size, as those of scripts, has 0 columns.
    return (columns === undefined || columns === 0 ? DEFAULT_COLUMNS : columns) - 1;
  }

  /** Shows the text as status line; an empty text takes it away. No effect if not interactive. */
  status(text: string): void {
    if (!this.interactive) return;
    const status = text.slice(0, this.statusColumns);
    if (status === this.#status) return;
    this.#status = status;
    this.#stream.write(`${CLEAR_LINE}${status}`);
  }

  /** The text in a style if the terminal and NO_COLOR, FORCE_COLOR allow it. */
  style(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#stream, validateStream: true });
  }
}
