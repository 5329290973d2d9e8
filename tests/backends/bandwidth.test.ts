/** Limits of bandwidth where they are kept within a transfer: in HTTP and SFTP clients, with their retries and time-outs as ever. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Bandwidth } from '../../src/backends/bandwidth/bandwidth.ts';
import { parseRateSchedule } from '../../src/backends/bandwidth/rate-schedule.ts';
import type { Backend } from '../../src/backends/backend.ts';
import { ThreadedBackend } from '../../src/backends/threaded-backend.ts';
import { backendSpec, openBackend } from '../../src/backends/open-backend.ts';
import { FakeBandwidthClock } from '../support/fake-bandwidth-clock.ts';
import { S3Server, TEST_ACCOUNT } from '../support/servers/s3-server.ts';
import { SshServer } from '../support/servers/ssh-server.ts';

const KIB = 1024;
const LIMITS = { upload: parseRateSchedule('100K'), download: parseRateSchedule('200K') };

/** Four objects of 250 KiB in and out, at the limits; how long that takes. */
async function transferTimes(backend: Backend, clock: FakeBandwidthClock): Promise<[number, number]> {
  const keys = ['a', 'b', 'c', 'd'];
  const payload = Buffer.alloc(250 * KIB, 'x');
  const startMs = clock.nowMs;
  await clock.runUntil(Promise.all(keys.map((key) => backend.store(key, {}, [payload]))));
  const storedMs = clock.nowMs;
  const fetched = await clock.runUntil(Promise.all(keys.map((key) => backend.fetch(key))));
  expect(fetched.every((object) => Buffer.compare(object.payload, payload) === 0)).toBe(true);
  return [storedMs - startMs, clock.nowMs - storedMs];
}

describe('over HTTP', () => {
  let server: S3Server;

  beforeEach(async () => {
    server = await S3Server.start();
  });

  afterEach(() => server[Symbol.asyncDispose]());

  const spec = (options = ''): ReturnType<typeof backendSpec> =>
    backendSpec({
      url: `s3c4://${server.host}/bucket/`,
      login: TEST_ACCOUNT.accessKeyId,
      password: TEST_ACCOUNT.secretAccessKey,
      options: `no-ssl${options}`,
    });

  test('parallel transfers keep to the limits together', async () => {
    const clock = new FakeBandwidthClock();
    await using backend = await clock.runUntil(openBackend({ ...spec(), bandwidth: new Bandwidth(LIMITS, clock) }));
    const [storedMs, fetchedMs] = await transferTimes(backend, clock);
    expect(Math.abs(storedMs - 10_000)).toBeLessThan(300);
    expect(Math.abs(fetchedMs - 5000)).toBeLessThan(500);
  });

  test('our pauses are no silence of the server, however short its time-out', async () => {
    await using backend = await openBackend({
      ...spec(',tcp-timeout=0.5'),
      bandwidth: new Bandwidth({ upload: parseRateSchedule('32K'), download: parseRateSchedule('32K') }),
    });
    await backend.store('k', {}, [Buffer.alloc(48 * KIB)]);
    expect((await backend.fetch('k')).payload.byteLength).toBe(48 * KIB);
  });

  test('a server that is silent is noticed all the same', async () => {
    await using backend = await openBackend({ ...spec(',tcp-timeout=0.5'), bandwidth: new Bandwidth(LIMITS) });
    server.http.plan({ on: /^PUT/, fault: { kind: 'hang' } });
    await expect(backend.store('k', {}, [Buffer.alloc(KIB)])).rejects.toMatchObject({ temporary: true, message: /did not answer in time/ });
    await backend.store('k', {}, [Buffer.alloc(KIB)]);
  });

  test('a transfer that waits for its turn can be aborted', async () => {
    await using backend = await openBackend({ ...spec(), bandwidth: new Bandwidth({ upload: parseRateSchedule('4K') }) });
    const storing = backend.store('k', {}, [Buffer.alloc(KIB * KIB)], { signal: AbortSignal.timeout(100) });
    await expect(storing).rejects.toMatchObject({ name: 'TimeoutError' });
    await backend.store('k', {}, []);
  });

  test('limits of a store in a thread can be changed while a transfer is under way', async () => {
    await using backend = await ThreadedBackend.open({ ...spec(), bandwidthLimits: { upload: parseRateSchedule('4K') } });
    // At the first limit it would take an hour.
    const storing = backend.store('k', {}, [Buffer.alloc(16 * KIB * KIB)]);
    backend.setBandwidth({ upload: parseRateSchedule('unlimited') });
    await storing;
    expect(backend.metrics()).toMatchObject({ operations: { store: { count: 1, failures: 0, payloadBytes: 16 * KIB * KIB } }, retries: 0 });
  });
});

test('over SFTP parallel transfers keep to the limits together', async () => {
  const directory = mkdtempSync(join(tmpdir(), 's3ql-bandwidth-'));
  try {
    await using server = await SshServer.start();
    const clock = new FakeBandwidthClock();
    const url = `sftp://${server.user}@127.0.0.1:${server.port}${directory}`;
    const options = `identity-file=${server.file('user-key')},known-hosts=${server.file('known_hosts')}`;
    await using backend = await clock.runUntil(openBackend({ ...backendSpec({ url, options }), bandwidth: new Bandwidth(LIMITS, clock) }));
    const [storedMs, fetchedMs] = await transferTimes(backend, clock);
    expect(Math.abs(storedMs - 10_000)).toBeLessThan(500);
    expect(Math.abs(fetchedMs - 5000)).toBeLessThan(500);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
