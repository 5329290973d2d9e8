/**
 * SIGKILL while a file system is made, unmounted, uploaded and recovered: at each request to the store (before the store hears of it, and after
 * it has done it), and at random moments in between. The next mount recovers by itself, and nothing that was promised is missing.
 */
import { join } from 'node:path';
import { expect, onTestFailed, test } from 'vitest';
import { seededRandom } from '../../src/util/seeded-random.ts';
import { setXattr } from '../../src/util/xattr.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { LONG } from '../support/options.ts';
import { StoreReader } from '../support/store-reader.ts';
import { newSeed } from '../support/random.ts';
import { Journal } from './support/journal.ts';
import type { Death } from './support/killing-backend.ts';
import { Died, type MountProcess, type Outcome, TestFileSystem } from './support/mount-process.ts';

const MKFS_OPTIONS = ['--plain', '--data-block-size', '64', '--metadata-block-size', '16'];
const TIMEOUT_MS = 900_000;
/** How far the requests of a phase are tried; it may end earlier. Their number grows with the generations in the store. */
const MAX_REQUESTS = LONG ? 100 : 30;
/** Every so many requests; in the long run each. */
const STEP = LONG ? 1 : 3;
/** A check has more requests, most of which only read. */
const MAX_CHECK_REQUESTS = LONG ? 200 : 80;
const CHECK_STEP = LONG ? 1 : 13;
/** All that S3QL takes, in its order (format 2.4). */
const SUPERBLOCK_KEYS = [
  'data_block_size',
  'metadata_block_size',
  'seq_no',
  'db_size',
  'revision',
  'label',
  'needs_fsck',
  'is_mounted',
  'inode_gen',
  'last_fsck',
  'last_modified',
  'db_md5',
];
const RANDOM_ROUNDS = LONG ? 100 : 6;

/** Kills a process at each request of a phase in turn, and lets the next one recover. Returns how many died. */
async function killAtEach(phase: (mounted: MountProcess, fileSystem: TestFileSystem) => Promise<unknown>): Promise<number> {
  await using fileSystem = await TestFileSystem.create(MKFS_OPTIONS);
  const journal = new Journal();
  await using maker = fileSystem.start();
  await succeed(maker.mkfs());
  let deaths = 0;
  for (let request = 1; request < MAX_REQUESTS; request += STEP) {
    await using mounted = await recovered(fileSystem, journal, deaths > 0);
    await journal.work(fileSystem.mountpoint);
    await mounted.arm({ request, when: request % 2 === 0 ? 'after' : 'before' });
    if (!(await dies(phase(mounted, fileSystem)))) return deaths;
    deaths += 1;
    await requireWholeGeneration(fileSystem);
  }
  return deaths;
}

/** A process with the file system mounted, all promises kept, and its store proved to be sound. @throws if not */
async function recovered(fileSystem: TestFileSystem, journal: Journal, crashed: boolean): Promise<MountProcess> {
  await fileSystem.clearMounts();
  const mounted = fileSystem.start();
  await succeed(mounted.mount());
  requireNone(await journal.broken(fileSystem.mountpoint));
  // One line says so, unless the crash came when everything was in the store.
  const lines = mounted.log.filter((line) => line.includes('Recovered'));
  if (lines.length > (crashed ? 1 : 0)) throw new Error(lines.join('\n'));
  await succeed(mounted.unmount());
  requireNone(await brokenInvariants({ storeDirectory: fileSystem.storeDirectory, allowUnknownObjects: true }));
  await succeed(mounted.mount());
  return mounted;
}

/** Were the machine lost now, the store would have a generation that lacks nothing. @throws if not */
async function requireWholeGeneration(fileSystem: TestFileSystem): Promise<void> {
  const problems = await brokenInvariants({ storeDirectory: fileSystem.storeDirectory, allowUnknownObjects: true });
  requireNone(problems.filter((line) => !line.startsWith('the superblock says')));
}

function requireNone(problems: readonly string[]): void {
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

async function dies(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    if (error instanceof Died) return true;
    throw error;
  }
}

async function succeed(work: Promise<Outcome>): Promise<void> {
  const { exitCode, message } = await work;
  if (exitCode !== 0) throw new Error(`exit ${exitCode}: ${message}`);
}

function uploadMetadata(mountpoint: string): Promise<void> {
  return setXattr(join(mountpoint, '.__s3ql__ctrl__'), 'upload-meta', Buffer.from('dummy'));
}

test('mkfs that was killed can be run again, or was done', { timeout: TIMEOUT_MS }, async () => {
  const again: Outcome[] = [];
  const problems: string[] = [];
  let finished = false;
  for (let request = 1; !finished; request += STEP) {
    await using fileSystem = await TestFileSystem.create(['--data-block-size', '64']);
    await using killed = fileSystem.start();
    finished = !(await dies(killed.mkfs({ request, when: request % 2 === 0 ? 'after' : 'before' })));
    await using next = fileSystem.start();
    again.push(await next.mkfs());
    await succeed(next.mount());
    const journal = new Journal();
    await journal.work(fileSystem.mountpoint);
    problems.push(...(await journal.broken(fileSystem.mountpoint)));
    await succeed(next.unmount());
    problems.push(...(await brokenInvariants({ storeDirectory: fileSystem.storeDirectory, passphrase: fileSystem.passphrase ?? '' })));
  }
  expect(problems).toEqual([]);
  expect(again.slice(0, 2).map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expect(again.filter(({ exitCode, message = '' }) => exitCode !== 0 && !message.includes('Refusing to overwrite'))).toEqual([]);
});

test('a mount that was killed while it unmounted is recovered', { timeout: TIMEOUT_MS }, async () => {
  expect(await killAtEach((mounted) => mounted.unmount())).toBeGreaterThan(5 / STEP);
});

test('a mount that was killed while it uploaded metadata is recovered', { timeout: TIMEOUT_MS }, async () => {
  const deaths = await killAtEach(async (mounted, { mountpoint }) => {
    const uploaded = mounted.logged('Metadata uploaded');
    // The process may die in the middle of the request.
    await Promise.all([uploaded, uploadMetadata(mountpoint).catch(() => undefined)]);
    // Unmounted before the next round; what uploads after the generation is complete may still die.
    await mounted.unmount();
  });
  expect(deaths).toBeGreaterThan(5 / STEP);
});

test('a mount that was killed while it recovered is recovered', { timeout: TIMEOUT_MS }, async () => {
  await using fileSystem = await TestFileSystem.create(MKFS_OPTIONS);
  const journal = new Journal();
  await using maker = fileSystem.start();
  await succeed(maker.mkfs());
  let deaths = 0;
  let finished = false;
  for (let request = 1; !finished; request += STEP) {
    await using victim = await recovered(fileSystem, journal, request > 1);
    await journal.work(fileSystem.mountpoint);
    await victim.kill();
    await fileSystem.clearMounts();
    await using recovering = fileSystem.start();
    finished = !(await dies(recovering.mount({ death: { request, when: request % 2 === 0 ? 'after' : 'before' } satisfies Death })));
    if (!finished) deaths += 1;
    await recovering.kill();
    await requireWholeGeneration(fileSystem);
  }
  await using last = await recovered(fileSystem, journal, true);
  expect(await last.unmount()).toMatchObject({ exitCode: 0 });
  expect(deaths).toBeGreaterThan(4 / STEP);
});

test('a check that was killed leaves what the next mount recovers by itself', { timeout: TIMEOUT_MS }, async () => {
  await using fileSystem = await TestFileSystem.create(MKFS_OPTIONS);
  const journal = new Journal();
  await using maker = fileSystem.start();
  await succeed(maker.mkfs());
  let deaths = 0;
  let finished = false;
  for (let request = 1; !finished && request < MAX_CHECK_REQUESTS; request += CHECK_STEP) {
    await using victim = await recovered(fileSystem, journal, request > 1);
    await journal.work(fileSystem.mountpoint);
    await victim.kill();
    await fileSystem.clearMounts();
    await using checking = fileSystem.start();
    // What it found after a crash is no matter: what is promised is looked at next.
    finished = !(await dies(checking.check(undefined, { request, when: deaths % 2 === 0 ? 'after' : 'before' })));
    if (!finished) deaths += 1;
    await checking.kill();
    await requireWholeGeneration(fileSystem);
  }
  await using last = await recovered(fileSystem, journal, true);
  expect(await last.unmount()).toMatchObject({ exitCode: 0 });
  expect(deaths).toBeGreaterThan(2);
});

test('what a crash leaves in the store S3QL knows or never looks for', { timeout: TIMEOUT_MS }, async () => {
  await using fileSystem = await TestFileSystem.create(MKFS_OPTIONS);
  const journal = new Journal();
  await using victim = fileSystem.start();
  await succeed(victim.mkfs());
  await succeed(victim.mount());
  await journal.work(fileSystem.mountpoint);
  await Promise.all([victim.logged('Metadata uploaded'), uploadMetadata(fileSystem.mountpoint)]);
  await journal.work(fileSystem.mountpoint);
  await setXattr(join(fileSystem.mountpoint, '.__s3ql__ctrl__'), 's3ql_flushcache!', Buffer.from('dummy'));
  await victim.kill();
  const store = await StoreReader.open(fileSystem.storeDirectory, undefined);
  const keys = await store.keys();
  // It lists objects by these prefixes, and reads the names as here; all others it asks for one by one.
  const listed = keys.filter((key) => /^s3ql_(data|metadata|params)_/.test(key));
  expect(listed.filter((key) => !/^s3ql_(data_\d+|metadata_[0-9a-f]{12}_[0-9a-f]{10}|params_[0-9a-f]{10})$/.test(key))).toEqual([]);
  expect(keys.filter((key) => !listed.includes(key)).toSorted()).toEqual(['s3ql_lease', 's3ql_params']);
  expect(Object.keys(await store.superblock())).toEqual(SUPERBLOCK_KEYS);
  expect(await store.superblock()).toMatchObject({ revision: 26, is_mounted: true, needs_fsck: false });
  await requireWholeGeneration(fileSystem);
});

test('a mount that is killed at any moment is recovered', { timeout: TIMEOUT_MS }, async () => {
  const seed = newSeed();
  onTestFailed(() => console.error(`S3QL_TEST_SEED=${seed}`));
  const random = seededRandom(seed);
  await using fileSystem = await TestFileSystem.create(MKFS_OPTIONS);
  const journal = new Journal();
  await using maker = fileSystem.start();
  await succeed(maker.mkfs());
  for (let round = 0; round < RANDOM_ROUNDS; round++) {
    await using mounted = await recovered(fileSystem, journal, round > 0);
    await journal.work(fileSystem.mountpoint);
    const ending = dies(round % 2 === 0 ? mounted.unmount() : uploadMetadata(fileSystem.mountpoint).catch(() => undefined));
    await killAfter(mounted, random() * 200);
    await ending;
    await fileSystem.clearMounts();
    await using recovering = fileSystem.start();
    const mounting = dies(recovering.mount());
    await killAfter(recovering, random() * 1500);
    await mounting;
  }
  await using last = await recovered(fileSystem, journal, true);
  expect(await last.unmount()).toMatchObject({ exitCode: 0 });
});

async function killAfter(victim: MountProcess, delayMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  await victim.kill();
}
