/** `s3ql ls`, `cat`, `get`, `put`, `find` and `du`: a file system used without a mount, by every kind of file there is. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { cp, link, mkdir, open, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { getXattrSync, listXattrsSync, makeNodeSync, setTimesSync, setXattrSync } from '../../src/util/native-files.ts';
import { MountedFileSystem, runCommand } from '../support/mounted-file-system.ts';
import type { ProgramOptions, ProgramResult } from '../support/run-program.ts';
import { describeTree, makeTree } from '../support/tree.ts';

const PASSPHRASE = 'direct';
const BIG_BYTES = 3_000_001;
/** No UTF-8, and nothing to print on a terminal. */
const ODD_NAME = Buffer.from([0xff, 0x0a, 0x27]);

let system: MountedFileSystem;
let source: string;
let odd: string;

beforeAll(async () => {
  system = await MountedFileSystem.prepare({ passphrase: PASSPHRASE });
  await system.make();
  source = join(system.directory, 'source');
  await mkdir(source);
  await makeTree(join(source, 'many'), 150);
  await writeFile(join(source, 'big'), Buffer.alloc(BIG_BYTES, 'all of these bytes, one after the other. '));
  await link(join(source, 'big'), join(source, 'many', 'big too'));
  await symlink('/big', join(source, 'absolute'));
  await symlink('nowhere', join(source, 'dangling'));
  await writeFile(join(source, 'sparse'), 'begin');
  await truncate(join(source, 'sparse'), 60_000_000);
  makeNodeSync(Buffer.from(join(source, 'fifo')), 0o010600, 0);
  makeNodeSync(Buffer.from(join(source, 'null')), 0o020666, 0x103);
  odd = join(system.directory, 'names');
  await mkdir(odd);
  await writeFile(Buffer.concat([Buffer.from(`${odd}/`), ODD_NAME]), 'odd name');
  setXattrSync(Buffer.from(join(source, 'big')), Buffer.from('user.comment'), Buffer.from([0, 1, 255]));
  setXattrSync(Buffer.from(join(source, 'big')), Buffer.from('user.empty'), Buffer.alloc(0));
  setTimesSync(Buffer.from(join(source, 'many')), -1n, -123_456_789_012_345_678n);
  const stored = await s3ql('put', ['--compress', 'zlib-1', source, odd, system.storageUrl]);
  if (stored.exitCode !== 0) throw new Error(stored.stderr);
});
afterEach(async () => {
  if (system.isMounted) await system.unmount();
});
afterAll(() => system[Symbol.asyncDispose]());

function s3ql(command: string, args: readonly string[], cacheDirectory: string = system.cacheDirectory): Promise<ProgramResult> {
  return runCommand(
    's3ql',
    [command, '--cachedir', cacheDirectory, '--authfile', join(system.directory, 'none'), ...args],
    withPassphrase(),
  );
}

function withPassphrase(): ProgramOptions {
  return { input: `${PASSPHRASE}\n` };
}

const at = (path: string): string => `${system.storageUrl}:${path}`;

/** Everything that says what a tree is, with what `describeTree` leaves out. */
async function everythingOf(tree: string): Promise<unknown> {
  const big = Buffer.from(join(tree, 'big'));
  return {
    tree: await describeTree(tree),
    top: statSync(tree, { bigint: true }).mtimeNs,
    xattrs: listXattrsSync(big).map((name) => [name.toString(), getXattrSync(big, name).toString('hex')]),
    isLinked: statSync(join(tree, 'big')).ino === statSync(join(tree, 'many', 'big too')).ino,
    sparseIsSparse: statSync(join(tree, 'sparse')).blocks < 10_000,
  };
}

test('what was put in comes out again with every attribute, link and hole', async () => {
  const copy = join(system.directory, 'copy');
  const result = await s3ql('get', [at('/source'), copy]);
  expect(result).toMatchObject({
    exitCode: 0,
    stderr: '',
    stdout: expect.stringMatching(/^Copied \d+ files and \d+ directories, .*\.\n$/) as string,
  });
  expect(await everythingOf(copy)).toEqual(await everythingOf(source));
  expect(readdirSync(join(system.cacheDirectory)).length).toBe(1);
  // Into a directory that exists, and over what is there.
  await writeFile(join(copy, 'big'), 'other');
  expect(await s3ql('get', ['--json', at('/source/big'), at('/source/sparse'), copy])).toMatchObject({ exitCode: 0 });
  expect((await readFile(join(copy, 'big'))).length).toBe(BIG_BYTES);
  await rm(copy, { recursive: true });
});

test('a mount sees what was put in, and the store is whole', async () => {
  await system.mount();
  expect(await everythingOf(join(system.mountpoint, 'source'))).toEqual(await everythingOf(source));
  await system.unmount();
  expect(await system.brokenInvariants()).toEqual([]);
});

test('ls lists by name, in long form, recursively, and as JSON', async () => {
  expect((await s3ql('ls', [at('/source')])).stdout).toBe('absolute\nbig\ndangling\nfifo\nmany\nnull\nsparse\n');
  const long = await s3ql('ls', ['-l', at('/source/')]);
  expect(long.stdout).toMatch(/^crw-r--r-- {3}1 root +root +1, 3 .* null$/m);
  expect(long.stdout).toMatch(new RegExp(`^-rw-r--r-- {3}2 root .* ${BIG_BYTES} .* big$`, 'm'));
  expect(long.stdout).toMatch(/^lrwxrwxrwx .* dangling -> nowhere$/m);
  expect((await s3ql('ls', ['-d', '-l', at('/source/many')])).stdout).toMatch(/ 1966-02-0\d .* \/source\/many$/m);
  expect((await s3ql('ls', ['-R', at('/source')])).stdout).toMatch(/\n\n\/source\/many\/directory 0\/ünter-100:\nfile-100\n/);
  const lines = (await s3ql('ls', ['--json', at('/source')])).stdout.trimEnd().split('\n');
  const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(entries).toHaveLength(readdirSync(source).length);
  expect(entries.find(({ path }) => path === '/source/big')).toMatchObject({ type: 'file', size: BIG_BYTES, linkCount: 2, mode: '0644' });
  const named = JSON.parse((await s3ql('ls', ['--json', at('/names')])).stdout) as Record<string, unknown>;
  expect(Buffer.from(String(named['pathBase64']), 'base64')).toEqual(Buffer.concat([Buffer.from('/names/'), ODD_NAME]));
  const back = join(system.directory, 'names back');
  expect((await s3ql('get', [at('/names'), back])).exitCode).toBe(0);
  expect(readdirSync(back, 'buffer')).toEqual([ODD_NAME]);
});

test('cat prints whole files and ranges, follows links, and stops when nobody reads on', async () => {
  const text = await readFile(join(source, 'big'), 'utf8');
  expect((await s3ql('cat', [at('/source/big')])).stdout).toBe(text);
  expect((await s3ql('cat', ['--offset', '2900000', '--length', '11', at('/source/big')])).stdout).toBe(text.slice(2_900_000, 2_900_011));
  expect((await s3ql('cat', ['--offset', '5000000', at('/source/big')])).stdout).toBe('');
  expect(await s3ql('cat', [at('/source/absolute')])).toMatchObject({
    exitCode: 1,
    stderr: 'ERROR: /source/absolute: no such file or directory\n',
  });
  const child = spawn(fileURLToPath(new URL('../../bin/s3ql', import.meta.url)), [
    'cat',
    '--cachedir',
    system.cacheDirectory,
    '--authfile',
    join(system.directory, 'none'),
    at('/source/sparse'),
  ]);
  child.stdin.end(`${PASSPHRASE}\n`);
  await once(child.stdout, 'data');
  child.stdout.destroy();
  expect((await once(child, 'exit'))[0]).toBe(141);
  expect((await s3ql('ls', [at('/source/big')])).exitCode).toBe(0);
});

test('find shows the files for which all tests hold', async () => {
  const find = async (...args: readonly string[]): Promise<string[]> => {
    const { stdout, exitCode } = await s3ql('find', [at('/source'), ...args]);
    expect(exitCode).toBe(0);
    return stdout.trimEnd().split('\n').sort();
  };
  expect(await find('-name', 'file-10?', '-type', 'f')).toHaveLength(10);
  expect(await find('--iname', 'BIG*')).toEqual(['/source/big', '/source/many/big too']);
  expect(await find('-size', '+2M', '-type', 'f')).toEqual(['/source/big', '/source/many/big too', '/source/sparse']);
  expect(await find('-type', 'l,p', '-maxdepth', '1')).toEqual(['/source/absolute', '/source/dangling', '/source/fifo']);
  expect(await find('-older', '1970-01-01')).toEqual(['/source/many']);
  expect(await find('-newer', join(source, 'many', 'directory 0'), '-name', 'sparse')).toEqual(['/source/sparse']);
  const { stdout } = await s3ql('find', [at('/source'), '-print0', '-maxdepth', '0']);
  expect(stdout).toBe('/source\0');
});

test('du shows sizes before and after de-duplication, and what removal would free', async () => {
  const twin = join(system.directory, 'twin');
  await cp(join(source, 'big'), twin);
  await s3ql('put', ['--compress', 'none', twin, at('/')]);
  const usage = async (path: string): Promise<Record<string, number>> =>
    JSON.parse((await s3ql('du', ['--json', at(path)])).stdout) as Record<string, number>;
  const one = await usage('/twin');
  expect(one).toMatchObject({ inodeCount: 1, sizeBytes: BIG_BYTES, exclusiveSizeBytes: 0 });
  const all = await usage('/');
  expect(all['exclusiveSizeBytes']).toBe(all['storedSizeBytes']);
  expect(all['deduplicatedSizeBytes']).toBe(Number((await usage('/source'))['deduplicatedSizeBytes']) + 'odd name'.length);
  const { stdout } = await s3ql('du', ['--max-depth', '1', at('/source')]);
  expect(stdout.split('\n').map((line) => line.split('  ').at(-1))).toEqual(['path', '/source/many', '/source', '']);
});

test('a URL that looks like one with a path is given by itself', async () => {
  const odd = join(system.directory, 'odd:');
  await cp(system.storeDirectory, join(odd, 'store'), { recursive: true });
  const url = `local://${odd}/store`;
  expect(await s3ql('ls', ['--storage-url', url, '-d', '/source/big'])).toMatchObject({ exitCode: 0, stdout: '/source/big\n' });
  expect((await s3ql('ls', [url])).exitCode).toBe(16);
});

test('put stores whole files into directories, over files, and leaves what it cannot read out', async () => {
  const inside = join(system.directory, 'inside');
  await mkdir(inside);
  await writeFile(join(inside, 'replaced'), 'first');
  expect((await s3ql('put', [inside, at('/')])).exitCode).toBe(0);
  await writeFile(join(inside, 'replaced'), 'second');
  expect((await s3ql('put', [inside, at('/')])).exitCode).toBe(0);
  expect((await s3ql('cat', [at('/inside/replaced')])).stdout).toBe('second');
  const failed = await s3ql('put', [join(inside, 'replaced'), join(inside, 'missing'), at('/inside')]);
  expect(failed).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('1 failed') as string });
  expect(failed.stderr).toContain('missing: no such file or directory');
  expect(await s3ql('put', [join(inside, 'replaced'), at('/no/such/place')])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('/no/such/place in the file system: no such file or directory') as string,
  });
  expect(await system.brokenInvariants()).toEqual([]);
});

test('Ctrl-C during put leaves whole files only, and a file system that is unmounted', async () => {
  const large = join(system.directory, 'large');
  await mkdir(large);
  await writeFile(join(large, 'a'), 'small');
  await using file = await open(join(large, 'endless'), 'w');
  for (let part = 0; part < 40; part += 1) await file.write(Buffer.alloc(1_000_000, `${part}-`));
  const args = ['put', '--debug', '--cachedir', system.cacheDirectory, '--authfile', join(system.directory, 'none'), large, at('/')];
  const child = spawn(fileURLToPath(new URL('../../bin/s3ql', import.meta.url)), args);
  child.stdin.end(`${PASSPHRASE}\n`);
  let said = '';
  for await (const chunk of child.stderr) {
    said += String(chunk);
    if (said.includes('Using cached metadata')) child.kill('SIGINT');
  }
  const { exitCode } = child;
  expect([0, 130]).toContain(exitCode ?? (await once(child, 'exit'))[0]);
  const { stdout } = await s3ql('find', [at('/large'), '-type', 'f']);
  for (const path of stdout
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')) {
    const { size } = JSON.parse((await s3ql('ls', ['--json', '-d', at(path)])).stdout) as { size: number };
    expect(size).toBe((await stat(join(large, path.slice('/large/'.length)))).size);
  }
  expect(await system.brokenInvariants()).toEqual([]);
});

test('while it is mounted: refused here, the stored state with a warning elsewhere, and never written to', async () => {
  const elsewhere = join(system.directory, 'elsewhere');
  await system.mount();
  expect(await s3ql('ls', [system.storageUrl])).toMatchObject({ exitCode: 40, stdout: '' });
  await writeFile(join(system.mountpoint, 'new'), 'x', { flush: true });
  const listed = await s3ql('ls', [system.storageUrl], elsewhere);
  expect(listed).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/^WARNING: The file system is mounted elsewhere/) as string });
  expect(listed.stdout).toContain('source\n');
  expect((await s3ql('cat', [at('/source/big')], elsewhere)).stdout).toHaveLength(BIG_BYTES);
  expect((await s3ql('put', [join(source, 'big'), at('/x')], elsewhere)).exitCode).toBe(31);
  await system.kill();
  await system.mountCount().then((count) => expect(count).toBe(1));
  expect(await s3ql('ls', [system.storageUrl])).toMatchObject({
    exitCode: 30,
    stderr: expect.stringContaining('did not end cleanly') as string,
  });
  expect((await runCommand('umount.s3ql', [system.mountpoint])).exitCode).toBe(0);
  // Writing recovers, as a mount does.
  expect((await s3ql('put', [join(source, 'big'), at('/recovered')])).exitCode).toBe(0);
  expect((await s3ql('cat', [at('/new')])).stdout).toBe('x');
  expect(existsSync(join(elsewhere, readdirSync(elsewhere)[0] ?? '', 'snapshot'))).toBe(false);
});

test('a damaged object is an error of its file: all others are copied', async () => {
  const copy = join(system.directory, 'with-damage');
  const objects = readdirSync(join(system.storeDirectory, 's3ql_data_'), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const [victim] = objects.toSorted((a, b) => Number(a.name.slice(10)) - Number(b.name.slice(10)));
  const path = join(victim?.parentPath ?? '', victim?.name ?? '');
  const before = readFileSync(path);
  await writeFile(path, Buffer.concat([before.subarray(0, -1), Buffer.from([(before.at(-1) ?? 0) ^ 1])]));
  const result = await s3ql('get', [at('/'), copy]);
  expect(result).toMatchObject({ exitCode: 1, stdout: expect.stringContaining(', 1 failed.') as string });
  expect(result.stderr).toMatch(/^ERROR: .*with-damage\/.*: i\/o error$/m);
  expect(readdirSync(copy, { recursive: true }).filter((name) => String(name).includes('.s3ql-get-'))).toEqual([]);
  expect(readdirSync(copy, { recursive: true }).length).toBeGreaterThan(100);
  await writeFile(path, before);
});
