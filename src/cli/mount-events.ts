/**
 * What a mount tells tools while it ends, when its control file is gone already: the progress of long steps, and how it all went. The mount
 * listens on a Unix socket in the abstract namespace under a name that nobody can guess; the control file tells that name to those who may use
 * the mount. Tools only listen, and nothing secret is said.
 *
 * A line of JSON per message. Clients that do not read are dropped, so that they cannot hold up the mount.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { logger } from '../util/log.ts';
import type { ProgressDisplay, ProgressSnapshot } from './progress.ts';

/** How often progress is sent. */
const SEND_INTERVAL_MS = 250;
const MAXIMUM_CLIENTS = 16;
/** What a client may leave unread before it is dropped. */
const MAXIMUM_UNREAD_BYTES = 64 * 1024;
/** How long the last message may take to reach the clients. */
const FAREWELL_TIMEOUT_MS = 1000;

type MountEvent =
  | { readonly steps: readonly ProgressSnapshot[] }
  | { readonly finished: ProgressSnapshot }
  | { readonly ended: { readonly exitCode: number } };

const GREETING = '{"steps":[]}\n';

const log = logger('mount');

/** A name for a mount's socket. */
export function newEventsName(): string {
  return `s3ql-${randomUUID()}`;
}

/** The mount's side. */
export class MountEvents implements Disposable {
  readonly display: ProgressDisplay;
  readonly #server: Server;
  readonly #clients = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    this.display = {
      intervalMs: SEND_INTERVAL_MS,
      show: (steps) => this.#send({ steps }),
      finished: (step) => this.#send({ finished: step }),
    };
    server.on('connection', (socket) => this.#add(socket));
  }

  /** Listens under the name. If that is impossible, tools do without: a mount does not fail of it. */
  static async open(name: string): Promise<MountEvents> {
    const server = createServer();
    const events = new MountEvents(server);
    server.maxConnections = MAXIMUM_CLIENTS;
    try {
      server.listen(socketPath(name));
      await once(server, 'listening');
    } catch (error) {
      log.warn('Tools will not see the progress of unmounting: %s', (error as Error).message);
    }
    server.on('error', (error) => log.debug(error, 'Events socket: %s', error.message));
    server.unref();
    return events;
  }

  /** Tells everybody how the mount ended; resolves when they know, or after a second. */
  async ended(exitCode: number): Promise<void> {
    this.#send({ ended: { exitCode } });
    const closed = [...this.#clients].map(async (client) => {
      client.end();
      client.ref();
      if (!client.writableFinished)
        await once(client, 'finish', { signal: AbortSignal.timeout(FAREWELL_TIMEOUT_MS) }).catch(() => undefined);
    });
    await Promise.all(closed);
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) client.destroy();
    this.#server.close();
  }

  #add(client: Socket): void {
    client.unref();
    client.on('error', () => client.destroy());
    client.on('close', () => this.#clients.delete(client));
    // Nothing is expected from clients.
    client.resume();
    this.#clients.add(client);
    // So that the client knows that from now on it misses nothing.
    client.write(GREETING);
  }

  #send(event: MountEvent): void {
    const line = `${JSON.stringify(event)}\n`;
    for (const client of this.#clients) {
      client.write(line);
      if (client.writableLength > MAXIMUM_UNREAD_BYTES) client.destroy();
    }
  }
}

/** A tool's side. */
export class MountEventsListener implements Disposable {
  readonly #socket: Socket;
  readonly #outcome: Promise<number | undefined>;

  private constructor(socket: Socket, outcome: Promise<number | undefined>) {
    this.#socket = socket;
    this.#outcome = outcome;
  }

  /**
   * Listens, and shows progress on the display. Undefined if the mount cannot be heard (it is in another network namespace, or its end has come
   * already).
   */
  static async connect(name: string, display: ProgressDisplay | undefined): Promise<MountEventsListener | undefined> {
    const socket = createConnection(socketPath(name));
    const greeted = Promise.withResolvers<true>();
    const outcome = follow(socket, display, () => greeted.resolve(true));
    const heard = await Promise.race([greeted.promise, outcome]);
    return heard === true ? new MountEventsListener(socket, outcome) : undefined;
  }

  /** The mount's exit code, or undefined if the mount died without a word. */
  outcome(): Promise<number | undefined> {
    return this.#outcome;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

async function follow(socket: Socket, display: ProgressDisplay | undefined, onGreeting: () => void): Promise<number | undefined> {
  let latest: readonly ProgressSnapshot[] = [];
  let shown = false;
  // At the display's pace, not at the mount's.
  const timer = setInterval(() => {
    if (latest.length === 0) return;
    shown = true;
    display?.show(latest);
  }, display?.intervalMs ?? SEND_INTERVAL_MS);
  const lines = createInterface({ input: socket });
  socket.on('error', () => undefined);
  socket.on('close', () => lines.close());
  try {
    for await (const line of lines) {
      onGreeting();
      const event = JSON.parse(line) as MountEvent;
      if ('ended' in event) return event.ended.exitCode;
      if ('steps' in event) latest = event.steps;
      else if (shown) display?.finished(event.finished);
    }
    return undefined;
  } catch {
    // The connection could not be made, or broke.
    return undefined;
  } finally {
    clearInterval(timer);
    if (shown) display?.show([]);
  }
}

function socketPath(name: string): string {
  return `\0${name}`;
}
