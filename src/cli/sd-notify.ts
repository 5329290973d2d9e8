/**
 * Tells systemd how a service is doing (type=notify). Without $NOTIFY_SOCKET nothing is told to anybody.
 * Source: sd_notify(3).
 */
import { UnixDatagramSender } from '../util/unix-datagram.ts';
import { lineDisplay } from './progress-display.ts';
import type { ProgressDisplay } from './progress.ts';

/** While something takes long systemd is asked for this much more time, again and again. */
const EXTENSION_MS = 60_000;
const EXTENSION_INTERVAL_MS = 10_000;

export class SystemdNotifier implements Disposable {
  readonly #sender: UnixDatagramSender | undefined;
  #extending: NodeJS.Timeout | undefined;

  constructor(socketPath: string | undefined = process.env['NOTIFY_SOCKET']) {
    this.#sender = socketPath === undefined || socketPath === '' ? undefined : new UnixDatagramSender(socketPath);
  }

  /** Progress of long steps becomes the status that `systemctl status` shows. */
  get display(): ProgressDisplay {
    const display = lineDisplay((line) => this.status(line));
    return { ...display, finished: () => undefined };
  }

  status(text: string): void {
    this.#send(`STATUS=${text}`);
  }

  /** Until `ready`, and again after `stopping`, systemd must not lose its patience. */
  starting(): void {
    this.#extendTimeout();
  }

  ready(status: string): void {
    clearInterval(this.#extending);
    this.#send(`READY=1\nSTATUS=${status}\nMAINPID=${process.pid}`);
  }

  stopping(status: string): void {
    this.#send(`STOPPING=1\nSTATUS=${status}`);
    this.#extendTimeout();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#extending);
    this.#sender?.[Symbol.dispose]();
  }

  #extendTimeout(): void {
    const extend = (): void => this.#send(`EXTEND_TIMEOUT_USEC=${EXTENSION_MS * 1000}`);
    clearInterval(this.#extending);
    extend();
    this.#extending = setInterval(extend, EXTENSION_INTERVAL_MS).unref();
  }

  #send(text: string): void {
    try {
      this.#sender?.send(text);
    } catch {
      // systemd is behind or gone: the service itself is not affected.
    }
  }
}
