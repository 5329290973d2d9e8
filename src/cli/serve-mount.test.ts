import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { RunningMount } from '../mount/running-mount.ts';
import { recordLogs } from '../util/log.ts';
import { silentProgress } from '../util/progress.ts';
import { newEventsPath } from './mount-events.ts';
import { InterruptedError } from './report-error.ts';
import { serveMount } from './serve-mount.ts';

const interaction = { progress: silentProgress, askSecret: async () => 'secret' };

const socketDirectory = mkdtempSync(join(tmpdir(), 's3ql-serve-'));
afterAll(() => rmSync(socketDirectory, { recursive: true }));

class FakeMount implements RunningMount {
  readonly mountpoint = '/mnt';
  readonly #ended = Promise.withResolvers<{ exitCode: number }>();
  unmountCount = 0;

  get ended(): Promise<{ exitCode: number }> {
    return this.#ended.promise;
  }

  end(exitCode: number): void {
    this.#ended.resolve({ exitCode });
  }

  async answer(request: string): Promise<unknown> {
    return { asked: request };
  }

  async unmount(): Promise<void> {
    this.unmountCount += 1;
    this.end(0);
  }
}

test('a mount that somebody else ends gives the exit code', async () => {
  const mount = new FakeMount();
  const listenersBefore = process.listenerCount('SIGTERM');
  const served = serveMount({
    start: async () => mount,
    interaction,
    eventsPath: newEventsPath(socketDirectory),
    onReady: () => mount.end(3),
  });
  expect(await served).toBe(3);
  expect(mount.unmountCount).toBe(0);
  expect(process.listenerCount('SIGTERM')).toBe(listenersBefore);
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s unmounts once, however often it comes', async (signal) => {
  using logs = recordLogs();
  const mount = new FakeMount();
  const stages: string[] = [];
  const exitCode = await serveMount({
    start: async () => mount,
    interaction,
    eventsPath: newEventsPath(socketDirectory),
    onReady() {
      stages.push('ready');
      setImmediate(() => {
        process.emit(signal, signal);
        process.emit(signal, signal);
      });
    },
    onStopping: () => stages.push('stopping'),
  });
  expect([exitCode, mount.unmountCount]).toEqual([0, 1]);
  expect(stages).toEqual(['ready', 'stopping']);
  expect(logs.records.map(({ message }) => message)).toEqual([
    `${signal}: ending the mount`,
    `${signal}: the mount is being ended already`,
  ]);
});

test('a signal while mounting aborts it; what then goes wrong is not reported as a failure', async () => {
  const served = serveMount({
    interaction,
    eventsPath: newEventsPath(socketDirectory),
    async start({ signal }) {
      process.emit('SIGINT');
      signal.throwIfAborted();
      return new FakeMount();
    },
  });
  await expect(served).rejects.toBeInstanceOf(InterruptedError);
});

test('a mount that comes to work in spite of the signal is unmounted at once', async () => {
  const mount = new FakeMount();
  const start = async (): Promise<RunningMount> => {
    process.emit('SIGTERM');
    return mount;
  };
  expect(await serveMount({ start, interaction, eventsPath: newEventsPath(socketDirectory) })).toBe(0);
  expect(mount.unmountCount).toBe(1);
});

test('an error of the start is passed on as it is', async () => {
  const error = new Error('no store');
  await expect(
    serveMount({ interaction, eventsPath: newEventsPath(socketDirectory), start: async () => Promise.reject(error) }),
  ).rejects.toBe(error);
});

test('a kernel that refuses to unmount is logged, and the mount goes on', async () => {
  using logs = recordLogs();
  const mount = new FakeMount();
  mount.unmount = async () => {
    setImmediate(() => mount.end(0));
    throw new Error('device is busy');
  };
  await serveMount({
    start: async () => mount,
    interaction,
    eventsPath: newEventsPath(socketDirectory),
    onReady: () => setImmediate(() => process.emit('SIGINT')),
  });
  expect(logs.records.at(-1)).toMatchObject({ level: 'error', message: 'Cannot unmount /mnt: device is busy' });
});

test('SIGUSR1 writes a diagnostic report without the environment, and nothing ends', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'report-'));
  try {
    using logs = recordLogs();
    const mount = new FakeMount();
    const reportPath = join(directory, 'report.json');
    process.env['S3QL_TEST_SECRET'] = 'hidden';
    const onReady = (): void => {
      process.emit('SIGUSR1');
      mount.end(0);
    };
    expect(
      await serveMount({ start: async () => mount, interaction, eventsPath: newEventsPath(socketDirectory), reportPath, onReady }),
    ).toBe(0);
    const report = readFileSync(reportPath, 'utf8');
    expect(JSON.parse(report)).toHaveProperty('javascriptStack');
    expect(report).not.toContain('S3QL_TEST_SECRET');
    expect(logs.records.at(-1)?.message).toBe(`Diagnostic report written to ${reportPath}`);
  } finally {
    delete process.env['S3QL_TEST_SECRET'];
    rmSync(directory, { recursive: true });
  }
});
