import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend, Capabilities, FetchedObject, FetchOptions, StoreOptions, StoreResult } from '../../src/backends/backend.ts';
import { checkStore } from '../../src/backends/check-store/check-store.ts';
import type { StoreReport } from '../../src/backends/check-store/report.ts';
import { BackendError, GaveUpError } from '../../src/backends/errors.ts';
import { MemoryBackend } from '../../src/backends/memory-backend.ts';
import type { ObjectMetadata } from '../../src/backends/object-metadata.ts';
import { silentProgress } from '../../src/util/progress.ts';
import { runCommand } from '../support/mounted-file-system.ts';
import { S3Server, TEST_ACCOUNT } from '../support/servers/s3-server.ts';

const CHECKS = [
  'content',
  'read-after-write',
  'read-after-overwrite',
  'list-after-write',
  'delete',
  'whole-objects',
  'conditional-create',
  'conditional-replace',
  'range',
  'batch-delete',
  'server-copy',
];

const check = (backend: Backend, signal: AbortSignal = new AbortController().signal): Promise<StoreReport> =>
  checkStore(backend, { maxConnections: 4, progress: silentProgress, signal });

async function keysOf(backend: Backend): Promise<string[]> {
  return (await Array.fromAsync(backend.list(''), ({ key }) => key)).toSorted();
}

const outcomes = ({ checks }: StoreReport): Record<string, string> =>
  Object.fromEntries(checks.filter(({ outcome }) => outcome !== 'passed').map(({ name, outcome }) => [name, outcome]));

describe('a check of a store', () => {
  test('finds nothing wrong with a good one, measures it, and leaves it as it was', async () => {
    const backend = new MemoryBackend();
    await backend.store('s3ql_params', {}, [Buffer.from('x')]);
    const report = await check(backend);
    expect(report.checks.map(({ name }) => name)).toEqual(CHECKS);
    expect([report.usable, outcomes(report)]).toEqual([true, {}]);
    expect(report.measurements).toHaveLength(8);
    for (const { durationMs, medianMs, slowestMs, requestCount } of report.measurements) {
      expect([durationMs > 0, medianMs > 0, slowestMs >= medianMs, requestCount > 0]).toEqual([true, true, true, true]);
    }
    expect(await keysOf(backend)).toEqual(['s3ql_params']);
    expect((await backend.fetch('s3ql_params')).payload).toHaveLength(1);
  });

  test.for<readonly [string, Backend, Record<string, string>]>([
    ['shows what was replaced', new StaleBackend(), { 'read-after-overwrite': 'failed' }],
    ['lists late', new LateListBackend(), { 'list-after-write': 'failed' }],
    ['deletes late', new LateDeleteBackend(), { delete: 'failed', 'batch-delete': 'failed' }],
    ['only says that it keeps conditions', new UnconditionalBackend(), { 'conditional-create': 'failed', 'conditional-replace': 'failed' }],
    ['ignores ranges', new RangelessBackend(), { range: 'failed' }],
    ['loses bytes', new LossyBackend(), { content: 'failed' }],
    ['refuses some requests', new RefusingBackend(), { 'list-after-write': 'failed' }],
  ])('finds a store out that %s', async ([, backend, expected]) => {
    const report = await check(backend);
    expect(outcomes(report)).toMatchObject(expected);
    expect(report.usable).toBe(false);
    for (const { problem, consequence } of report.checks.filter(({ outcome }) => outcome === 'failed')) {
      expect([typeof problem, typeof consequence]).toEqual(['string', 'string']);
    }
  });

  test('what a store does not offer is no failure', async () => {
    const report = await check(new PlainBackend());
    expect([report.usable, outcomes(report)]).toEqual([
      true,
      {
        'conditional-create': 'not offered',
        'conditional-replace': 'not offered',
        range: 'not offered',
        'batch-delete': 'not offered',
        'server-copy': 'not offered',
      },
    ]);
  });

  test('a store that cannot be reached has not failed: the check is given up, with the reason', async () => {
    await expect(check(new UnreachableBackend())).rejects.toThrow('no answer');
  });

  test('cleans up when it is interrupted', async () => {
    const backend = new MemoryBackend();
    const controller = new AbortController();
    const reason = new Error('interrupted');
    const checking = checkStore(backend, {
      maxConnections: 4,
      signal: controller.signal,
      progress: {
        step: () => ({ update: ({ done = 0 }) => (done > 3 ? controller.abort(reason) : undefined), [Symbol.dispose]: () => undefined }),
      },
    });
    await expect(checking).rejects.toBe(reason);
    expect(await keysOf(backend)).toEqual([]);
  });
});

describe('s3ql check-store', () => {
  let directory: string;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 's3ql-check-'));
  });

  afterAll(() => rmSync(directory, { recursive: true }));

  const run = (...args: readonly string[]): ReturnType<typeof runCommand> =>
    runCommand('s3ql', ['check-store', '--authfile', join(directory, 'none'), ...args]);

  test('tells people what a store can do', async () => {
    const { exitCode, stdout } = await run(`local://${directory}`);
    expect(exitCode).toBe(0);
    for (const words of ['S3QL can use this store.', '  yes  A part of an object', 'not offered', 'MiB/s', '(median)']) {
      expect(stdout.toLowerCase()).toContain(words.toLowerCase());
    }
    expect(readdirSync(directory)).toEqual([]);
  });

  test('tells programs the same', async () => {
    const { exitCode, stdout } = await run('--json', '--max-connections', '2', `local://${directory}`);
    const report = JSON.parse(stdout) as StoreReport;
    expect([exitCode, report.usable, report.storageUrl]).toEqual([0, true, `local://${directory}/`]);
    expect(report.measurements.find(({ name }) => name === 'parallel-store')?.concurrency).toBe(2);
  });

  test('a store behind HTTP is checked, too, by its login', async () => {
    await using server = await S3Server.start();
    const authfile = join(directory, 'authinfo2');
    const { accessKeyId, secretAccessKey } = TEST_ACCOUNT;
    const login = `backend-login: ${accessKeyId}\nbackend-password: ${secretAccessKey}\nbackend-options: no-ssl`;
    writeFileSync(authfile, `[s]\nstorage-url: s3c4://${server.host}/\n${login}\n`, { mode: 0o600 });
    server.buckets.get('bucket')?.set('s3ql_params', { body: Buffer.alloc(0), headers: {}, etag: '"x"', modified: new Date() });
    const { exitCode, stdout } = await runCommand('s3ql', [
      'check-store',
      '--json',
      '--authfile',
      authfile,
      `s3c4://${server.host}/bucket/`,
    ]);
    expect([exitCode, outcomes(JSON.parse(stdout) as StoreReport)]).toEqual([0, {}]);
    expect(server.names()).toEqual(['s3ql_params']);
  });

  test('a store that is not there exits as everywhere', async () => {
    expect(await run(`local://${directory}/missing`)).toMatchObject({ exitCode: 16, stdout: '' });
  });
});

/** Shows an object in its state before last once. */
class StaleBackend extends MemoryBackend {
  readonly #old = new Map<string, FetchedObject>();

  override async store(
    key: string,
    metadata: ObjectMetadata,
    payload: readonly Uint8Array[],
    options?: StoreOptions,
  ): Promise<StoreResult> {
    const old = await super.fetch(key).catch(() => undefined);
    if (old !== undefined) this.#old.set(key, old);
    return super.store(key, metadata, payload, options);
  }

  override async fetch(key: string, options?: FetchOptions): Promise<FetchedObject> {
    const old = this.#old.get(key);
    this.#old.delete(key);
    return old ?? super.fetch(key, options);
  }
}

class LateListBackend extends MemoryBackend {
  override async *list(): AsyncGenerator<never> {
    // Nothing yet.
  }
}

class LateDeleteBackend extends MemoryBackend {
  override async delete(): Promise<void> {
    // Some day.
  }

  override async deleteMany(): Promise<void> {
    // Some day.
  }
}

class UnconditionalBackend extends MemoryBackend {
  override store(key: string, metadata: ObjectMetadata, payload: readonly Uint8Array[]): Promise<StoreResult> {
    return super.store(key, metadata, payload);
  }
}

class RangelessBackend extends MemoryBackend {
  override fetch(key: string): Promise<FetchedObject> {
    return super.fetch(key);
  }
}

class LossyBackend extends MemoryBackend {
  override async fetch(key: string, options?: FetchOptions): Promise<FetchedObject> {
    const fetched = await super.fetch(key, options);
    return { ...fetched, payload: fetched.payload.subarray(0, 1_000_000) };
  }
}

class RefusingBackend extends MemoryBackend {
  // oxlint-disable-next-line require-yield -- it never gets that far
  override async *list(): AsyncGenerator<never> {
    throw new BackendError('listing is not permitted');
  }
}

class UnreachableBackend extends MemoryBackend {
  override store(): Promise<StoreResult> {
    return Promise.reject(new GaveUpError('no answer'));
  }

  override deleteMany(): Promise<void> {
    return Promise.reject(new GaveUpError('no answer either'));
  }
}

class PlainBackend extends MemoryBackend {
  override readonly capabilities: Capabilities = {
    conditionalCreate: false,
    conditionalReplace: false,
    range: false,
    batchDelete: 1,
    serverCopy: false,
  };
}
