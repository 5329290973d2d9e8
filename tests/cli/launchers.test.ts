import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/commands/registry.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BIN = join(ROOT, 'bin');

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'launchers-'))));
afterEach(() => rmSync(directory, { recursive: true }));

function run(
  program: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = process.env,
): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env, cwd: directory, timeout: 20_000 });
  return { status, stdout, stderr };
}

test('each command has a launcher, and package.json installs all of them', () => {
  // ssh starts s3ql-ssh-askpass, nobody else.
  const launchers = readdirSync(BIN).filter((name) => name !== 's3ql-ssh-askpass' && name !== 'launch.sh');
  const { bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { bin: Record<string, string> };
  expect(bin).toEqual(Object.fromEntries(launchers.map((name) => [name, `bin/${name}`])));
  expect(launchers).toEqual(expect.arrayContaining(['s3ql', ...COMMANDS.flatMap(({ program }) => program ?? [])]));
});

test('a launcher works by a symbolic link, from any directory', () => {
  symlinkSync(join(BIN, 's3qlstat'), join(directory, 'link'));
  expect(run(join(directory, 'link'), ['--version']).stdout).toMatch(/^s3qlstat \d/);
});

test('in a directory that has been removed, relative paths are refused in a line, and absolute ones work', () => {
  const inRemovedDirectory = (...args: readonly string[]): ReturnType<typeof run> =>
    run('/bin/sh', ['-c', 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', 'sh', ...args]);
  const relative = inRemovedDirectory(join(BIN, 'mount.s3ql'), 'local:///nowhere', 'mnt');
  expect(relative).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^error: The current directory has been removed: .*\n$/m) as string,
  });
  expect(relative.stderr).not.toContain('bug');
  expect(inRemovedDirectory(join(BIN, 'mount.s3ql'), 'local:///nowhere', directory)).toMatchObject({
    status: 16,
    stderr: expect.stringContaining('/nowhere/ does not exist') as string,
  });
});

test('s3ql lists all commands, and runs each by its short and its full name', () => {
  const { stdout } = run(join(BIN, 's3ql'), ['--help']);
  for (const { name } of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
  const help = run(join(BIN, 'umount.s3ql'), ['--help']);
  expect(help).toMatchObject({ status: 0, stderr: '' });
  for (const args of [
    ['umount', '--help'],
    ['umount.s3ql', '--help'],
    ['help', 'umount'],
  ]) {
    expect(run(join(BIN, 's3ql'), args)).toEqual(help);
  }
});

test('Node comes from npm even if the system has none, and a system without any is told what to do', () => {
  const tools = join(directory, 'tools');
  mkdirSync(tools);
  for (const tool of ['sh', 'readlink', 'uname']) symlinkSync(`/bin/${tool}`, join(tools, tool));
  expect(run(join(BIN, 's3qlstat'), ['--version'], { PATH: tools }).status).toBe(0);

  const checkout = join(directory, 'checkout');
  mkdirSync(join(checkout, 'src'), { recursive: true });
  cpSync(BIN, join(checkout, 'bin'), { recursive: true });
  writeFileSync(join(checkout, 'src/main.ts'), '');
  expect(run(join(checkout, 'bin/s3qlstat'), [], { PATH: tools })).toEqual({
    status: 1,
    stdout: '',
    stderr: `error: The npm packages are missing: run 'npm ci' in ${checkout} first\n`,
  });
  mkdirSync(join(checkout, 'node_modules'));
  const { status, stderr } = run(join(checkout, 'bin/s3qlstat'), [], { PATH: tools });
  expect([status, stderr]).toEqual([1, expect.stringMatching(/^error: Node\.js 26 or newer is needed: .*\n$/)]);
});

test('an installed package runs its JavaScript, with Node in a directory above', () => {
  const modules = join(directory, 'lib/node_modules');
  mkdirSync(join(modules, 's3ql/dist'), { recursive: true });
  cpSync(BIN, join(modules, 's3ql/bin'), { recursive: true });
  writeFileSync(join(modules, 's3ql/package.json'), '{"type":"module"}');
  writeFileSync(join(modules, 's3ql/dist/main.js'), 'console.log(process.versions.node.split(".")[0], ...process.argv.slice(2));');
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name.startsWith('node-linux-')) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  symlinkSync(join(modules, 's3ql/bin/mkfs.s3ql'), join(directory, 'mkfs.s3ql'));
  expect(run(join(directory, 'mkfs.s3ql'), ['a b', '--plain']).stdout).toBe('26 mkfs.s3ql a b --plain\n');
});

describe('bad input is one clear line on stderr and an exit code', () => {
  test.each([
    ['s3ql', [], 2, /No command was given/],
    ['s3ql', ['frobnicate'], 2, /Unknown command 'frobnicate'/],
    ['s3qlstat', [], 2, /Missing required argument 'mountpoint'/],
    ['s3qlstat', ['--frobnicate', '/'], 2, /Unknown option '--frobnicate'/],
    ['s3qlstat', ['/'], 1, /\/ is not in a mounted S3QL file system/],
    ['s3qlstat', ['missing'], 1, /missing does not exist/],
    ['s3qlstat', ['--log', '/missing/log', '/'], 10, /Cannot write the log file/],
    ['umount.s3ql', ['missing'], 1, /missing is not a mountpoint/],
    ['umount.s3ql', ['missing/below'], 1, /missing\/below does not exist/],
    ['umount.s3ql', ['/proc'], 1, /\/proc is not an S3QL file system \(it is of type proc\)/],
    ['umount.s3ql', ['--lazy', '.'], 1, /is not a mountpoint/],
  ])('%s %j', (program, args, exitCode, message) => {
    const { status, stdout, stderr } = run(join(BIN, program), args);
    expect({ status, stdout }).toEqual({ status: exitCode, stdout: '' });
    expect(stderr).toMatch(/^error: .*\n$/);
    expect(stderr).toMatch(message);
    const { error } = JSON.parse(run(join(BIN, program), [...args, '--json']).stderr) as { error: { message: string; exitCode: number } };
    expect(`error: ${error.message}\n`).toBe(stderr);
    expect(error.exitCode).toBe(exitCode);
  });
});

test('a reader that stops reading ends a command quietly', () => {
  // The reader is gone before the command begins to write.
  const script = `{ read -r _; "${BIN}/umount.s3ql" --help; echo "$?" >&2; } <"$1" | { exec <&-; echo closed >"$1"; }`;
  const fifo = join(directory, 'fifo');
  expect(run('mkfifo', [fifo]).status).toBe(0);
  expect(run('/bin/sh', ['-c', script, 'sh', fifo]).stderr).toBe('141\n');
});
