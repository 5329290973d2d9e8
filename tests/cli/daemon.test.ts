import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DaemonTestEvent, DaemonTestRequest } from './support/daemon-main.ts';

const STARTER = fileURLToPath(new URL('support/starter-main.ts', import.meta.url));
const SECRET = 'correct horse battery staple';

let directory: string;
let logPath: string;
let server: Server;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'daemon-'));
  logPath = join(directory, 'mount.log');
  server = createServer().listen(join(directory, 'events'));
  await once(server, 'listening');
});
afterEach(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

type Started = Extract<DaemonTestEvent, { event: 'started' }>;

interface Run {
  readonly starter: ChildProcessWithoutNullStreams;
  /** What the starter printed and its exit code, once it has ended. */
  readonly finished: Promise<{ stderr: string; exitCode: number | null }>;
  /** The daemon's next event; undefined once the process has ended. */
  readonly next: () => Promise<DaemonTestEvent | undefined>;
  /** Lets a daemon go on that waits for the test. */
  readonly goOn: () => Promise<void>;
}

function run(behaviour: DaemonTestRequest['behaviour'], options: object = {}, request: object = {}): Run {
  const arguments_ = [
    { behaviour, logPath, eventsPath: join(directory, 'events'), secret: SECRET, ...request },
    { debug: false, debugModules: [], quiet: false, json: false, ...options },
  ];
  const connected = once(server, 'connection') as Promise<[Socket]>;
  const starter = spawn(process.execPath, [STARTER, ...arguments_.map((argument) => JSON.stringify(argument))]);
  const finished = Promise.all([text(starter.stderr), once(starter, 'close')]).then(([stderr, [exitCode]]) => ({
    stderr,
    exitCode: exitCode as number | null,
  }));
  let lines: AsyncIterator<string> | undefined;
  return {
    starter,
    finished,
    async next() {
      lines ??= createInterface({ input: (await connected)[0] })[Symbol.asyncIterator]();
      const { value, done } = await lines.next();
      return done === true ? undefined : (JSON.parse(value) as DaemonTestEvent);
    },
    async goOn() {
      (await connected)[0].write('go on\n');
    },
  };
}

test('the starter ends when the mount works; the mount goes on in a session of its own until it is told to end', async () => {
  const { finished, next } = run('mount');
  const started = (await next()) as Started;
  expect(await finished).toEqual({ stderr: 'Using 3 threads\n', exitCode: 0 });
  expect(started).toMatchObject({ session: started.pid, directory: '/', stdio: ['/dev/null', '/dev/null', `${logPath}.crash`] });
  expect(started.visible).toContain('test.s3ql local:///store/ /test/mountpoint');
  process.kill(started.pid, 'SIGTERM');
  expect(await next()).toEqual({ event: 'unmounting' });
  expect(await next()).toBeUndefined();
  const log = readFileSync(logPath, 'utf8');
  expect(log).toMatch(
    new RegExp(`Using 3 threads\n.*Mounted on /test/mountpoint by process ${started.pid}\n.*SIGTERM: ending the mount\n$`),
  );
  expect(statSync(logPath).mode & 0o777).toBe(0o600);
});

test('secrets are in neither arguments nor environment of the daemon', async () => {
  const { finished, next } = run('mount');
  const started = (await next()) as Started;
  await finished;
  expect(started.visible).not.toContain(SECRET);
  process.kill(started.pid, 'SIGINT');
  expect(await next()).toEqual({ event: 'unmounting' });
});

test('with --quiet nothing is printed, with --debug everything', async () => {
  for (const [options, expected] of [
    [{ quiet: true }, ''],
    [{ debug: true }, 'Using 3 threads\nDEBUG: mount: a detail\n'],
  ] as const) {
    const { finished, next } = run('refuse', options);
    await next();
    expect((await finished).stderr).toBe(`${expected}error: There is no file system\n`);
  }
});

test('what the daemon fails of is printed once, is in the log, and sets the exit code', async () => {
  const { finished, next } = run('refuse');
  await next();
  expect(await next()).toBeUndefined();
  expect(await finished).toEqual({ stderr: 'Using 3 threads\nerror: There is no file system\n', exitCode: 18 });
  expect(readFileSync(logPath, 'utf8')).toMatch(/ ERROR: There is no file system\n$/);
});

test('a bug in the daemon shows its stack', async () => {
  const { finished } = run('bug');
  const { stderr, exitCode } = await finished;
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/error: Unexpected failure: x is undefined\n[^]*TypeError: x is undefined\n {4}at .*daemon-main/);
});

test('with --json errors, messages and progress are JSON', async () => {
  const { starter, finished, next, goOn } = run('progress', { json: true });
  const started = (await next()) as Started;
  for await (const line of createInterface({ input: starter.stderr })) {
    if (line.startsWith('{"progress"')) break;
  }
  await goOn();
  const { stderr } = await finished;
  const lines = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(lines).toMatchObject([
    { log: { level: 'info', module: 'mount', message: 'Using 3 threads' } },
    { progress: { title: 'Downloading', unit: 'pieces', done: 1, total: 2, finished: false } },
    { progress: { title: 'Downloading', finished: true } },
  ]);
  process.kill(started.pid, 'SIGTERM');
  expect(await next()).toEqual({ event: 'unmounting' });
});

test('a daemon that dies without a word is an error', async () => {
  expect(await run('die').finished).toEqual({
    stderr: `Using 3 threads\nerror: The mount process died (SIGKILL): see ${logPath}.crash\n`,
    exitCode: 1,
  });
});

test('a question of the daemon is answered by the terminal that started it', async () => {
  const { starter, finished, next } = run('ask');
  const started = (await next()) as Started;
  starter.stdin.end('pass wörd\n');
  expect(await next()).toEqual({ event: 'answer', text: 'pass wörd' });
  expect((await finished).exitCode).toBe(0);
  process.kill(started.pid, 'SIGTERM');
  expect(await next()).toEqual({ event: 'unmounting' });
});

test('a question without an answer fails the mount', async () => {
  const { starter, finished, next } = run('ask');
  await next();
  starter.stdin.end();
  expect(await next()).toBeUndefined();
  expect(await finished).toMatchObject({ stderr: expect.stringContaining('error: Standard input ended') as string, exitCode: 1 });
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s while mounting gives up: the daemon cleans up first', async (signal) => {
  const { starter, finished, next } = run('wait');
  await next();
  await next();
  starter.kill(signal);
  expect(await next()).toEqual({ event: 'given-up' });
  expect(await next()).toBeUndefined();
  expect(await finished).toEqual({ stderr: 'Using 3 threads\n', exitCode: 130 });
});

test('when the starter is killed before the mount works, the daemon gives up, too', async () => {
  const { starter, next } = run('wait');
  await next();
  await next();
  starter.kill('SIGKILL');
  expect(await next()).toEqual({ event: 'given-up' });
  expect(await next()).toBeUndefined();
});

test('a log file that cannot be written is refused with exit code 10', async () => {
  const { finished } = run('unlogged', {}, { logPath: `${directory}/events` });
  expect(await finished).toMatchObject({
    exitCode: 10,
    stderr: expect.stringMatching(/^error: Cannot write the log file: .*\n$/) as string,
  });
});
