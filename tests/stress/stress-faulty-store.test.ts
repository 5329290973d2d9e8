/** Many processes on a mount whose store fails all the time, in all ways. Nobody notices, and nothing ends the process. */
import { join } from 'node:path';
import { afterAll, expect, onTestFailed, test } from 'vitest';
import { setXattr } from '../../src/util/xattr.ts';
import { TestFileSystem } from '../recovery/support/mount-process.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { newSeed } from '../support/random.ts';
import type { Capability } from '../support/target.ts';
import { stressSuite } from './stress.ts';

/** One in so many requests goes wrong. */
const FAULT_INTERVAL = 20;
const BUSY = [
  '--cachesize',
  '4096',
  '--dirty-block-upload-delay',
  '1',
  '--metadata-backup-interval',
  '3',
  '-o',
  'suid,dev',
  '--allow-other',
];
const seed = newSeed();

const fileSystem = await TestFileSystem.create(['--data-block-size', '128']);
const machine = fileSystem.start();

async function succeed(work: Promise<{ exitCode: number; message?: string }>): Promise<void> {
  const { exitCode, message } = await work;
  if (exitCode !== 0) throw new Error(`exit ${exitCode}: ${message}`);
}

async function remount(): Promise<void> {
  await succeed(machine.unmount());
  await succeed(machine.mount({ argv: BUSY }));
}

await machine.failRandomly(seed, FAULT_INTERVAL);
await succeed(machine.mkfs());
await succeed(machine.mount({ argv: BUSY }));
afterAll(() => fileSystem[Symbol.asyncDispose]());

stressSuite({
  name: 'a mount with a faulty store',
  path: fileSystem.mountpoint,
  capabilities: new Set<Capability>(['devices', 'large-xattrs', 'huge-files']),
  remount,
  dropCaches: () => setXattr(join(fileSystem.mountpoint, '.__s3ql__ctrl__'), 's3ql_dropcache!', Buffer.from('dummy')),
  [Symbol.asyncDispose]: () => fileSystem[Symbol.asyncDispose](),
});

test('after all that, no invariant is broken', async () => {
  onTestFailed(() => console.error(`S3QL_TEST_SEED=${seed}\n${machine.log.slice(-50).join('\n')}`));
  await succeed(machine.unmount());
  expect((await machine.count()).faultCount).toBeGreaterThan(2);
  const { storeDirectory, passphrase = '' } = fileSystem;
  expect(await brokenInvariants({ storeDirectory, passphrase, allowUnknownObjects: true })).toEqual([]);
});
