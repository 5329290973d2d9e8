/** A stream that looks like process.stderr and keeps what is written to it. */
import { Writable } from 'node:stream';
import { WriteStream } from 'node:tty';

export class FakeStream extends Writable {
  readonly written: string[] = [];
  readonly isTTY: boolean;
  readonly columns: number;

  constructor({ isTTY = false, columns = 80 }: { readonly isTTY?: boolean; readonly columns?: number } = {}) {
    super();
    this.isTTY = isTTY;
    this.columns = columns;
  }

  /** By the environment, as a terminal's. */
  getColorDepth(): number {
    return WriteStream.prototype.getColorDepth.call(this as unknown as WriteStream);
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(chunk.toString());
    done();
  }
}
