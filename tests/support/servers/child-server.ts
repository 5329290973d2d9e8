/** Server processes that tests start and stop by their own hand. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** A machine that does other things besides takes its time to read a Python program with all its libraries. */
const START_TIMEOUT_MS = 180_000;
const STOP_TIMEOUT_MS = 5000;
const POLL_MS = 50;
const MAX_OUTPUT_CHARS = 20_000;

export interface ChildServerOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** The port it will listen on; `start` resolves when it does. */
  readonly port: number;
}

export class ChildServer implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #command: string;
  #output = '';

  private constructor(child: ChildProcess, command: string) {
    this.#child = child;
    this.#command = command;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-MAX_OUTPUT_CHARS);
      });
    }
  }

  /** Starts the command and waits until it listens. @throws Error with its output if it ends or does not listen in time */
  static async start(command: string, args: readonly string[], options: ChildServerOptions): Promise<ChildServer> {
    // Should this process be killed, the server goes, too.
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', command, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
    });
    const server = new ChildServer(child, [command, ...args].join(' '));
    const failed = once(child, 'error').then(([error]) => error as Error);
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!(await accepts(options.port))) {
      const error = await Promise.race([failed, setTimeout(POLL_MS)]);
      if (error !== undefined || child.exitCode !== null || Date.now() > deadline) {
        await server[Symbol.asyncDispose]();
        throw new Error(`${server.#command} does not listen on port ${options.port}: ${error?.message ?? ''}\n${server.output}`);
      }
    }
    return server;
  }

  /** The last lines that it wrote. */
  get output(): string {
    return this.#output;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const kill = new AbortController();
    const timer = setTimeout(STOP_TIMEOUT_MS, undefined, { signal: kill.signal }).then(
      () => this.#child.kill('SIGKILL'),
      () => false,
    );
    await exited;
    kill.abort();
    await timer;
  }
}

/** Ports that nobody listened on a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
