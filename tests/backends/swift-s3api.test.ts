import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { backendSpec, openBackend } from '../../src/backends/open-backend.ts';
import { LONG } from '../support/options.ts';
import { openingFailure } from '../support/opening-failure.ts';
import { SWIFT_KEY, SWIFT_USER, SwiftServer } from '../support/servers/swift-server.ts';
import { backendConformance } from './conformance.ts';

/** The S3 interface of OpenStack's Swift: an implementation of S3 that is not ours. */
let server: SwiftServer;
let buckets = 0;

beforeAll(async () => {
  server = await SwiftServer.start();
});

afterAll(() => server[Symbol.asyncDispose]());

async function open(scheme: 's3c' | 's3c4', password: string = SWIFT_KEY): Promise<Backend> {
  buckets += 1;
  await server.createContainer(`bucket-${buckets}`);
  return openBackend(
    backendSpec({ url: `${scheme}://${server.host}/bucket-${buckets}/p/`, login: SWIFT_USER, password, options: 'no-ssl,tcp-timeout=120' }),
  );
}

describe.for(['s3c', 's3c4'] as const)('%s:// at Swift', (scheme) => {
  test('objects with metadata are stored, fetched, listed and deleted', async () => {
    await using backend = await open(scheme);
    const payload = randomBytes(300_000);
    const keys = ['s3ql_data_1', 's3ql_data_2', 'odd é+& key'];
    for (const key of keys) await backend.store(key, { format_version: 2, data: new Uint8Array([1, 2, 3]), object_id: key }, [payload]);
    const fetched = await backend.fetch('odd é+& key', { range: { offset: 1000, lengthBytes: 50 } });
    expect(Buffer.compare(fetched.payload, payload.subarray(1000, 1050))).toBe(0);
    expect(fetched).toMatchObject({ metadata: { format_version: 2, object_id: 'odd é+& key' }, storedSizeBytes: 300_000 });
    expect(await Array.fromAsync(backend.list('s3ql'))).toEqual(keys.slice(0, 2).map((key) => ({ key, storedSizeBytes: 300_000 })));
    await backend.deleteMany([...keys, 'missing']);
    expect(await Array.fromAsync(backend.list(''))).toEqual([]);
  });

  test('a wrong key exits with 14', async () => {
    expect(await openingFailure(open(scheme, 'wrong'))).toMatchObject({
      exitCode: 14,
      message: expect.stringContaining('backend-password') as string,
    });
  });
});

if (LONG) {
  backendConformance('s3c4 at Swift', () => open('s3c4'));
  backendConformance('s3c at Swift', () => open('s3c'));
}
