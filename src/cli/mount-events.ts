/**
 * What a mount and tools tell each other that extended attributes can't carry: the progress of long steps, how it all went when the mount ends and
 * its control file is gone already, and answers to requests, as JSON. The mount listens on a Unix socket in its cache directory, whose path the
 * control file tells; only the owner of the mount, and root, get to it.
 *
 * A line of JSON per message. Clients that do not read, or say too much, are dropped, so that they cannot hold up the mount.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, closeSync, constants, mkdirSync, openSync, readdirSync, unlinkSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { basename, dirname, join } from 'node:path';
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
/** A request is shorter. */
const MAXIMUM_REQUEST_BYTES = 1024;

type MountEvent =
  | { readonly steps: readonly ProgressSnapshot[] }
  | { readonly finished: ProgressSnapshot }
  | { readonly ended: { readonly exitCode: number } }
  | { readonly answered: number; readonly result: unknown }
  | { readonly answered: number; readonly error: string };

/** What tools may ask for; the answer's form is the mount's business. */
export type MountRequestName = 'statistics' | 'backup-metadata';

interface Request {
  readonly id: number;
  readonly request: MountRequestName;
}

const GREETING = '{"steps":[]}\n';

const log = logger('mount');

/** A path for a mount's socket; each mount has its own. */
export function newEventsPath(cachedir: string): string {
  return join(cachedir, 'sockets', randomUUID());
}

/** The mount's side. */
export class MountEvents implements Disposable {
  readonly display: ProgressDisplay;
  /** Answers requests; until it is set, there is nothing to be told. */
  answer: ((request: MountRequestName) => Promise<unknown>) | undefined;
  readonly #server: Server;
  #directory: number | undefined;
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

  /** Listens at the path. If that is impossible, tools do without: a mount does not fail of it. */
  static async open(path: string): Promise<MountEvents> {
    const server = createServer();
    const events = new MountEvents(server);
    server.maxConnections = MAXIMUM_CLIENTS;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      await removeDeadSockets(dirname(path));
      events.#directory = openDirectory(path);
      const shortPath = pathIn(events.#directory, path);
      server.listen(shortPath);
      await once(server, 'listening');
      chmodSync(shortPath, 0o600);
    } catch (error) {
      log.warn('Tools will not see the progress of the mount: %s', (error as Error).message);
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
    // Takes the socket's file away.
    this.#server.close();
    if (this.#directory !== undefined) closeSync(this.#directory);
    this.#directory = undefined;
  }

  #add(client: Socket): void {
    client.unref();
    client.on('error', () => client.destroy());
    client.on('close', () => this.#clients.delete(client));
    this.#readRequests(client);
    this.#clients.add(client);
    // So that the client knows that from now on it misses nothing.
    client.write(GREETING);
  }

  #readRequests(client: Socket): void {
    let pending = '';
    client.setEncoding('utf8');
    client.on('data', (text: string) => {
      const lines = (pending + text).split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) void this.#reply(client, line);
      if (pending.length > MAXIMUM_REQUEST_BYTES) client.destroy();
    });
  }

  async #reply(client: Socket, line: string): Promise<void> {
    let id = 0;
    try {
      const request = JSON.parse(line) as Request;
      ({ id } = request);
      if (this.answer === undefined) throw new Error('the mount is not ready');
      sendTo(client, { answered: id, result: await this.answer(request.request) });
    } catch (error) {
      sendTo(client, { answered: id, error: (error as Error).message });
    }
  }

  #send(event: MountEvent): void {
    for (const client of this.#clients) sendTo(client, event);
  }
}

function sendTo(client: Socket, event: MountEvent): void {
  if (client.destroyed) return;
  client.write(`${JSON.stringify(event)}\n`);
  if (client.writableLength > MAXIMUM_UNREAD_BYTES) client.destroy();
}

/** Of mounts that were killed. */
async function removeDeadSockets(directory: string): Promise<void> {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const fd = openDirectory(path);
    const socket = createConnection(pathIn(fd, path));
    const isDead = await once(socket, 'connect').then(
      () => false,
      (error: unknown) => (error as NodeJS.ErrnoException).code === 'ECONNREFUSED',
    );
    socket.destroy();
    closeSync(fd);
    if (isDead) unlinkSync(path);
  }
}

function openDirectory(path: string): number {
  return openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
}

/** Socket paths may have 107 bytes only; by way of the directory's descriptor every path is short. */
function pathIn(directory: number, path: string): string {
  return `/proc/self/fd/${directory}/${basename(path)}`;
}

/** A tool's side. */
export class MountEventsListener implements Disposable {
  readonly #socket: Socket;
  readonly #outcome: Promise<number | undefined>;
  readonly #answers: Map<number, PromiseWithResolvers<unknown>>;
  #lastId = 0;

  private constructor(socket: Socket, outcome: Promise<number | undefined>, answers: Map<number, PromiseWithResolvers<unknown>>) {
    this.#socket = socket;
    this.#outcome = outcome;
    this.#answers = answers;
  }

  /**
   * Listens, and shows progress on the display. Undefined if the mount cannot be heard (its socket is out of reach, or its end has come already).
   */
  static async connect(path: string, display: ProgressDisplay | undefined): Promise<MountEventsListener | undefined> {
    let directory: number;
    try {
      directory = openDirectory(path);
    } catch {
      return undefined;
    }
    const socket = createConnection(pathIn(directory, path));
    const greeted = Promise.withResolvers<true>();
    const answers = new Map<number, PromiseWithResolvers<unknown>>();
    const outcome = follow(socket, display, answers, () => greeted.resolve(true));
    const heard = await Promise.race([greeted.promise, outcome]);
    closeSync(directory);
    return heard === true ? new MountEventsListener(socket, outcome, answers) : undefined;
  }

  /** Resolves to the mount's answer. @throws Error with the mount's message, or if the mount ends before */
  request(request: MountRequestName): Promise<unknown> {
    this.#lastId += 1;
    const answer = Promise.withResolvers<unknown>();
    this.#answers.set(this.#lastId, answer);
    this.#socket.write(`${JSON.stringify({ id: this.#lastId, request } satisfies Request)}\n`);
    return answer.promise;
  }

  /** The mount's exit code, or undefined if the mount died without a word. */
  outcome(): Promise<number | undefined> {
    return this.#outcome;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

async function follow(
  socket: Socket,
  display: ProgressDisplay | undefined,
  answers: Map<number, PromiseWithResolvers<unknown>>,
  onGreeting: () => void,
): Promise<number | undefined> {
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
      else if ('answered' in event) settle(answers, event);
      else if (shown) {
        // What goes on without it first, or the step that is over would be shown again below the words that it is over.
        display?.show(latest);
        display?.finished(event.finished);
      }
    }
    return undefined;
  } catch {
    // The connection could not be made, or broke.
    return undefined;
  } finally {
    clearInterval(timer);
    if (shown) display?.show([]);
    for (const { reject } of answers.values()) reject(new Error('the mount has ended'));
  }
}

function settle(answers: Map<number, PromiseWithResolvers<unknown>>, event: Extract<MountEvent, { readonly answered: number }>): void {
  const answer = answers.get(event.answered);
  answers.delete(event.answered);
  if ('error' in event) answer?.reject(new Error(event.error));
  else answer?.resolve(event.result);
}
