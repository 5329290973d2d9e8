/** fsck.s3ql, s3ql_verify and s3qladm as programs, on an encrypted file system in a local store. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connect } from '../../src/backends/connect.ts';
import { backendSpec } from '../../src/backends/open-backend.ts';
import { encodeLease, LEASE_KEY } from '../../src/mount/lease-record.ts';
import { DamagedFileSystem } from '../support/check/damaged-file-system.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { mustRun, type ProgramResult, runProgram } from '../support/run-program.ts';

const BIN = fileURLToPath(new URL('../../bin/', import.meta.url));
let plain: DamagedFileSystem;
let secret: string;
let masterKey: string;

async function run(program: string, args: readonly string[], input = ''): Promise<ProgramResult> {
  return runProgram(join(BIN, program), args, { input, cwd: plain.root });
}

const encrypted = (name = 'store'): string[] => [
  '--cachedir',
  join(secret, 'cache'),
  '--authfile',
  join(secret, 'none'),
  `local://${secret}/${name}`,
];
const objects = (): string[] => readdirSync(join(plain.storeDirectory, 's3ql_data_'));

beforeAll(async () => {
  plain = await DamagedFileSystem.create();
  secret = mkdtempSync(join(tmpdir(), 's3ql-secret-'));
  mkdirSync(join(secret, 'store'));
  const made = await mustRun(join(BIN, 'mkfs.s3ql'), ['-L', 'vault', ...encrypted()], { input: 'first\n' });
  masterKey = /BEGIN MASTER KEY---\n(.*)\n/.exec(made.stdout)?.[1] ?? '';
  cpSync(join(secret, 'store'), join(secret, 'template'), { recursive: true });
});
beforeEach(() => {
  plain.reset();
  rmSync(join(secret, 'store'), { recursive: true });
  cpSync(join(secret, 'template'), join(secret, 'store'), { recursive: true });
  rmSync(join(secret, 'cache'), { recursive: true, force: true });
});
afterAll(() => {
  plain[Symbol.dispose]();
  rmSync(secret, { recursive: true });
});

test('fsck.s3ql says that a clean file system is clean, checks it with --force, and ends with 128 after repairs', async () => {
  expect(await run('fsck.s3ql', plain.argv)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('--force') });
  expect(await run('fsck.s3ql', ['--force', ...plain.argv])).toMatchObject({ exitCode: 0, stdout: 'No errors found.\n' });
  plain.sql('UPDATE inodes SET refcount = 9 WHERE id = 3');
  const repaired = await run('fsck.s3ql', ['--force', '--json', ...plain.argv]);
  expect(repaired.exitCode).toBe(128);
  expect(JSON.parse(repaired.stdout)).toMatchObject({ findingCount: 1, uncorrectableCount: 0, counts: { 'wrong link counts': 1 } });
  expect(await run('fsck.s3ql', ['--force', ...plain.argv])).toMatchObject({ exitCode: 0 });
});

test('fsck.s3ql on a file system mounted elsewhere: 41 in batch mode, 42 for a wrong answer, goes on after the right one', async () => {
  await plain.use(async () => {}, { crash: true });
  plain.forgetLocal();
  expect(await run('fsck.s3ql', ['--batch', ...plain.argv])).toMatchObject({ exitCode: 41 });
  expect(await run('fsck.s3ql', plain.argv, 'yes\n')).toMatchObject({ exitCode: 42 });
  const last = await run('fsck.s3ql', plain.argv, 'continue, I know what I am doing\n');
  expect(last).toMatchObject({ exitCode: 0, stdout: 'No errors found.\n' });
  expect(await brokenInvariants({ storeDirectory: plain.storeDirectory })).toEqual([]);
});

test('s3ql_verify finds missing and damaged objects, and refuses to overwrite its lists', async () => {
  expect(await run('s3ql_verify', ['--data', ...plain.argv])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/: 0 missing, 0 damaged/),
  });
  const [first, second] = objects();
  rmSync(join(plain.storeDirectory, 's3ql_data_', first ?? ''));
  const damaged = join(plain.storeDirectory, 's3ql_data_', second ?? '');
  const bytes = readFileSync(damaged);
  writeFileSync(damaged, Buffer.concat([bytes.subarray(0, -8), Buffer.alloc(8)]));
  expect(await run('s3ql_verify', plain.argv)).toMatchObject({ exitCode: 46, stdout: expect.stringContaining('1 missing, 0 damaged') });
  expect(await run('s3ql_verify', plain.argv)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('missing_objects.txt') });
  rmSync(join(plain.root, 'missing_objects.txt'));
  const lists = ['--missing-file', join(plain.root, 'm'), '--corrupted-file', join(plain.root, 'c')];
  expect(await run('s3ql_verify', ['--data', ...lists, ...plain.argv])).toMatchObject({ exitCode: 46 });
  expect([readFileSync(join(plain.root, 'm'), 'utf8'), readFileSync(join(plain.root, 'c'), 'utf8')]).toEqual([`${first}\n`, `${second}\n`]);
  const rest = await run('s3ql_verify', ['--start-with', '100000', '--json', ...plain.argv]);
  expect([rest.exitCode, JSON.parse(rest.stdout)]).toEqual([0, { verifiedCount: 0, missingCount: 0, corruptedCount: 0 }]);
  expect(existsSync(join(plain.root, 'missing_objects.txt'))).toBe(false);
});

test('s3ql_verify refuses a file system that was not unmounted', async () => {
  await plain.use(async () => {}, { crash: true });
  expect(await run('s3ql_verify', plain.argv)).toMatchObject({ exitCode: 30 });
  plain.forgetLocal();
  expect(await run('s3ql_verify', plain.argv)).toMatchObject({ exitCode: 31 });
});

test('s3qladm passphrase: the new one opens the file system, the old one does not', async () => {
  expect(await run('s3qladm', ['passphrase', ...encrypted()], 'wrong\nsecond\n')).toMatchObject({ exitCode: 17 });
  expect(await run('s3qladm', ['passphrase', ...encrypted()], 'first\nsecond\n')).toMatchObject({ exitCode: 0 });
  expect(await run('s3qladm', ['info', ...encrypted()], 'first\n')).toMatchObject({ exitCode: 17 });
  expect(await run('s3qladm', ['info', ...encrypted()], 'second\n')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/Label: +vault\n/),
  });
  expect(await run('s3qladm', ['passphrase', ...plain.argv], 'x\n')).toMatchObject({ exitCode: 1 });
});

test('s3qladm recover-key: the master key gets in when all key objects are lost, and no other does', async () => {
  for (const name of readdirSync(join(secret, 'store')).filter((key) => key.startsWith('s3ql_passphrase')))
    rmSync(join(secret, 'store', name));
  const other = Buffer.alloc(32, 7).toString('base64');
  expect(await run('s3qladm', ['recover-key', ...encrypted()], `${other}\nthird\n`)).toMatchObject({ exitCode: 17 });
  expect(await run('s3qladm', ['recover-key', ...encrypted()], 'abc\nthird\n')).toMatchObject({ exitCode: 17 });
  expect(await run('s3qladm', ['recover-key', ...encrypted()], `${masterKey}\nthird\n`)).toMatchObject({ exitCode: 0 });
  expect(await run('s3qladm', ['info', '--json', ...encrypted()], 'third\n')).toMatchObject({ exitCode: 0 });
});

test('what another machine has mounted no command changes, unless that machine is given up', async () => {
  const [cachedir, elsewhere] = [
    join(plain.root, 'elsewhere'),
    ['--authfile', join(plain.root, 'none'), `local://${plain.storeDirectory}`],
  ];
  const backend = await connect(backendSpec({ url: `local://${plain.storeDirectory}` }));
  const holder = { nonce: 'theirs', renewal: 1, host: 'far-away', program: 'mount.s3ql', mounted: true };
  await backend.store(LEASE_KEY, {}, [encodeLease(holder)]);
  await backend[Symbol.asyncDispose]();
  await plain.use(async () => {}, { crash: true });
  const argv = ['--cachedir', cachedir, ...elsewhere];
  const refused = { exitCode: 31, stderr: expect.stringMatching(/in use by mount\.s3ql on far-away/) };
  expect(await run('s3qladm', ['shrink-db', ...argv])).toMatchObject(refused);
  expect(await run('s3qladm', ['restore-metadata', ...argv], '0\n')).toMatchObject(refused);
  expect(await run('s3qladm', ['clear', ...argv], 'yes\n')).toMatchObject(refused);
  expect(await run('fsck.s3ql', ['--batch', ...argv])).toMatchObject({ exitCode: 41 });
  expect(await run('s3qladm', ['shrink-db', '--take-over', ...argv])).toMatchObject({ exitCode: 2 });
  expect(await run('s3qladm', ['clear', '--take-over', ...argv], 'yes\n')).toMatchObject({ exitCode: 0 });
});

test('s3qladm clear: only after "yes", and then nothing is left', async () => {
  expect(await run('s3qladm', ['clear', ...plain.argv], 'no\n')).toMatchObject({ exitCode: 1 });
  expect(objects().length).toBeGreaterThan(0);
  expect(await run('s3qladm', ['clear', ...plain.argv], 'yes\n')).toMatchObject({ exitCode: 0 });
  expect(await run('s3qladm', ['info', ...plain.argv])).toMatchObject({ exitCode: 18 });
  expect(readdirSync(plain.storeDirectory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())).toEqual([]);
});

test('s3qladm shrink-db stores a smaller database, and the files are as before', async () => {
  const before = await plain.tree();
  expect(await run('s3qladm', ['shrink-db', ...plain.argv])).toMatchObject({ exitCode: 0 });
  expect(await plain.tree()).toEqual(before);
  expect(await brokenInvariants({ storeDirectory: plain.storeDirectory })).toEqual([]);
});

test('s3qladm upgrade: nothing to do for the newest revision, a clear line for an old one', async () => {
  expect(await run('s3qladm', ['upgrade', ...plain.argv])).toMatchObject({ exitCode: 0 });
  await plain.putSuperblock({ revision: 25 });
  expect(await run('s3qladm', ['upgrade', ...plain.argv])).toMatchObject({ exitCode: 32, stderr: expect.stringContaining('5.0') });
});

test('s3qladm restore-metadata goes back; fsck.s3ql commits it and keeps objects that are newer', async () => {
  const [before, old] = [await plain.tree(), await plain.seqNo()];
  await plain.use(async (fs) => {
    const { id } = fs.directories.make(1 as never, Buffer.from('later'), 0o100644, 0, { uid: 0, gid: 0, umask: 0 });
    await fs.files.write(id, 0n, Buffer.from('something new'), false);
  });
  const objectCount = objects().length;
  expect(await run('s3qladm', ['restore-metadata', '--generation', '1', ...plain.argv])).toMatchObject({ exitCode: 1 });
  expect(await run('s3qladm', ['restore-metadata', '--generation', String(old), ...plain.argv])).toMatchObject({ exitCode: 0 });
  expect(await run('s3qladm', ['shrink-db', ...plain.argv])).toMatchObject({ exitCode: 30 });
  expect(await run('fsck.s3ql', ['--batch', ...plain.argv])).toMatchObject({ exitCode: 128 });
  expect(await plain.tree()).toEqual(before);
  expect(objects().length).toBe(objectCount);
  expect(await plain.findings()).toEqual({});
});

test('s3qladm restore-metadata asks for the index if no generation is named, and shows how many files each has', async () => {
  const files = (await plain.tree()).size;
  await plain.use((fs) => {
    fs.directories.make(1 as never, Buffer.from('one more'), 0o100644, 0, { uid: 0, gid: 0, umask: 0 });
    return Promise.resolve();
  });
  const listed = await run('s3qladm', ['restore-metadata', ...plain.argv], '99\n');
  const counts = [...listed.stderr.matchAll(/^ +\d+ {2}\d+ {2}20.* {2}(\d+) files/gm)].map(([, count]) => Number(count));
  expect(counts.length).toBeGreaterThan(1);
  expect(Math.max(...counts)).toBeLessThanOrEqual(files + 1);
  expect(counts[0]).toBe((counts[1] ?? 0) + 1);
  expect(readdirSync(plain.localDirectory).filter((name) => name.startsWith('count-'))).toEqual([]);
  expect(await run('s3qladm', ['restore-metadata', ...plain.argv], '99\n')).toMatchObject({ exitCode: 1 });
  const chosen = await run('s3qladm', ['restore-metadata', ...plain.argv], '0\n');
  expect(chosen).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/^ +0 {2}\d+ {2}20/m) });
  expect(await run('fsck.s3ql', ['--batch', ...plain.argv])).toMatchObject({ exitCode: 0 });
});

test('s3qladm clone: the copy is the same file system, an interrupted copy goes on, and nothing is overwritten', async () => {
  mkdirSync(join(secret, 'copy'));
  const clone = ['clone', '--to', `local://${secret}/copy`, ...encrypted()];
  expect(await run('s3qladm', clone, 'first\n')).toMatchObject({ exitCode: 0 });
  expect(await run('s3qladm', ['info', ...encrypted('copy')], 'first\n')).toMatchObject({ exitCode: 0 });
  expect(await run('s3qladm', clone, 'first\n')).toMatchObject({ exitCode: 1 });

  const target = join(plain.root, 'copy');
  mkdirSync(target);
  const again = ['clone', '--json', '--to', `local://${target}`, ...plain.argv];
  expect(await run('s3qladm', again)).toMatchObject({ exitCode: 0 });
  expect(await brokenInvariants({ storeDirectory: target })).toEqual([]);
  rmSync(join(target, 's3ql_params'));
  const [lost, spoilt] = objects();
  rmSync(join(target, 's3ql_data_', lost ?? ''));
  writeFileSync(join(target, 's3ql_data_', spoilt ?? ''), 'half an obj');
  const resumed = await run('s3qladm', again);
  expect(resumed.exitCode).toBe(0);
  const { objectCount, copiedCount } = JSON.parse(resumed.stdout) as { objectCount: number; copiedCount: number };
  expect(objectCount - copiedCount).toBe(objects().length - 2);
  expect(await brokenInvariants({ storeDirectory: target })).toEqual([]);
  rmSync(join(secret, 'copy'), { recursive: true });
});

test('bad command lines and places without a file system get their exit codes', async () => {
  mkdirSync(join(plain.root, 'void'));
  const nowhere = [...plain.argv.slice(0, -1), `local://${plain.root}/void`];
  for (const [program, ...args] of [['fsck.s3ql'], ['s3ql_verify'], ['s3qladm', 'info']] as const) {
    expect(await run(program, [...args, ...nowhere])).toMatchObject({ exitCode: 18 });
    expect(await run(program, args)).toMatchObject({ exitCode: 2 });
  }
  expect(await run('s3qladm', ['nonsense', ...plain.argv])).toMatchObject({ exitCode: 2 });
  expect(await run('s3qladm', ['clone', ...plain.argv])).toMatchObject({ exitCode: 2 });
  expect(await run('s3ql_verify', ['--sample', '0', ...plain.argv])).toMatchObject({ exitCode: 2 });
});
