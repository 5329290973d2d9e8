/** mkfs, mount, s3qlstat and umount as a person, mount(8) or an init system meets them. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readMountTable } from '../../src/util/mount-table.ts';
import { getXattr } from '../../src/util/xattr.ts';

const BIN = fileURLToPath(new URL('../../bin/', import.meta.url));
const PASSPHRASE = 'correct hörse';

interface Result {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let directory: string;
let store: string;
let mountpoint: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'commands-'));
  store = join(directory, 'store');
  mountpoint = join(directory, 'mnt');
  mkdirSync(store);
  mkdirSync(mountpoint);
});
afterEach(async () => {
  if (await isMounted()) await run('umount.s3ql', ['--lazy', mountpoint]);
  if (await isMounted()) throw new Error(`still mounted: ${mountpoint}`);
  rmSync(directory, { recursive: true });
});

function start(
  program: string,
  args: readonly string[],
  cwd: string = directory,
  env: NodeJS.ProcessEnv = process.env,
): ChildProcessWithoutNullStreams {
  return spawn(program.includes('/') ? program : join(BIN, program), args, { cwd, env });
}

async function finish(child: ChildProcessWithoutNullStreams): Promise<Result> {
  const [stdout, stderr, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { exitCode: exitCode as number | null, stdout, stderr };
}

/** Runs a command to its end, with the passphrase on standard input. */
async function run(
  program: string,
  args: readonly string[],
  options: { input?: string; cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Result> {
  const child = start(program, args, options.cwd, options.env);
  // A command that ends early does not read its input.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? `${PASSPHRASE}\n`);
  return finish(child);
}

const common = (): string[] => ['--cachedir', join(directory, 'cache'), '--authfile', join(directory, 'authinfo2')];
const url = (): string => `local://${store}`;
const mkfs = (...args: readonly string[]): Promise<Result> => run('mkfs.s3ql', [...common(), ...args, url()]);
const mount = (...args: readonly string[]): Promise<Result> => run('mount.s3ql', [...common(), ...args, url(), mountpoint]);
const umount = (...args: readonly string[]): Promise<Result> => run('umount.s3ql', [...args, mountpoint]);
const log = (): string => readFileSync(join(directory, 'cache/mount.log'), 'utf8');

async function isMounted(): Promise<boolean> {
  return (await readMountTable()).some((entry) => entry.mountpoint === mountpoint);
}

async function daemonPid(): Promise<number> {
  return Number(await getXattr(join(mountpoint, '.__s3ql__ctrl__'), 's3ql_pid?', 32));
}

/** Every file below, with content. */
function snapshot(path: string): Map<string, string> {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(files.map((entry) => [join(entry.parentPath, entry.name), readFileSync(join(entry.parentPath, entry.name), 'latin1')]));
}

/** Whether the process runs; one that has ended but was not waited for by its parent has no command line. */
function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/cmdline`, 'latin1') !== '';
}

/** Resolves when the process that serves the file system has ended: then the kernel gives its lock to others. */
async function daemonEnd(): Promise<void> {
  const cache = join(directory, 'cache');
  const name = readdirSync(cache).find((entry) => existsSync(join(cache, entry, 'lock')));
  await once(spawn('flock', [join(cache, name ?? '', 'lock'), 'true']), 'close');
}

async function signalDaemon(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  process.kill(await daemonPid(), signal);
  await daemonEnd();
}

describe('a life of a file system', () => {
  test('made, mounted, used, shown, unmounted, and mounted again by another machine', async () => {
    const made = await mkfs('-L', 'my data');
    expect(made).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(
        /\n---BEGIN MASTER KEY---\n([A-Za-z0-9+/=]{4} ){10}[A-Za-z0-9+/=]{4}\n---END MASTER KEY---\n$/,
      ) as string,
    });
    expect(made.stderr).toContain('Generating random encryption key...\nCreating metadata tables...\n');

    const mounted = await mount('--compress', 'zlib-6');
    expect(mounted).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: expect.stringContaining('Using cached metadata.\nMounting filesystem...\n') as string,
    });
    expect((await readMountTable()).find((entry) => entry.mountpoint === mountpoint)).toMatchObject({
      type: 'fuse.s3ql',
      source: `${url()}/`,
    });
    expect(statSync(join(mountpoint, 'lost+found')).mode).toBe(0o40700);

    writeFileSync(join(mountpoint, 'file'), 'content');
    const shown = await run('s3qlstat', [mountpoint]);
    expect(shown).toMatchObject({ exitCode: 0, stderr: '' });
    expect(shown.stdout.split('\n').map((line) => line.split(':')[0])).toEqual([
      'Directory entries',
      'Inodes',
      'Data objects',
      'Total data size',
      'After de-duplication',
      'After compression',
      'Database size',
      'Cache size',
      'Cache size (dirty)',
      'Queued object removals',
      'Store',
      'Mount',
      'Metadata in store',
      '',
    ]);
    expect(JSON.parse((await run('s3qlstat', ['--json', mountpoint])).stdout)).toMatchObject({
      entryCount: 2,
      totalSizeBytes: 7,
      store: { retries: 0, operations: { store: { failures: 0, count: expect.any(Number) as number }, fetch: {}, list: {} } },
    });

    const pid = await daemonPid();
    expect(await umount()).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(isRunning(pid)).toBe(false);
    rmSync(join(directory, 'cache'), { recursive: true });
    expect((await mount()).exitCode).toBe(0);
    expect(readFileSync(join(mountpoint, 'file'), 'utf8')).toBe('content');
    expect((await umount()).exitCode).toBe(0);
    expect(log()).not.toMatch(/WARNING|ERROR/);
  });

  test('in the foreground until Ctrl-C, with everything stored', async () => {
    await mkfs('--plain');
    const child = start('mount.s3ql', [...common(), '--fg', '--log', 'none', url(), mountpoint]);
    let stderr = '';
    for await (const chunk of child.stderr) {
      stderr += String(chunk);
      if (stderr.includes(`Mounted on ${mountpoint}\n`)) break;
    }
    writeFileSync(join(mountpoint, 'file'), 'content');
    const exited = once(child, 'exit');
    child.kill('SIGINT');
    expect(await exited).toEqual([0, null]);
    expect(await isMounted()).toBe(false);
    expect(existsSync(join(directory, 'cache/mount.log'))).toBe(false);
    rmSync(join(directory, 'cache'), { recursive: true });
    await mount();
    expect(readFileSync(join(mountpoint, 'file'), 'utf8')).toBe('content');
    await umount();
  });

  test('by mount(8), from a line of fstab', async () => {
    await mkfs('--plain');
    const words = `rw,noauto,_netdev,allow-other,cachedir=${directory}/cache,fs-name=my-store`;
    expect((await run('mount.s3ql', [url(), mountpoint, '-n', '-o', words])).exitCode).toBe(0);
    expect((await readMountTable()).find((entry) => entry.mountpoint === mountpoint)?.source).toBe('my-store');
    expect((await umount()).exitCode).toBe(0);
  });

  test('SIGTERM, as at a shutdown, unmounts with everything stored', async () => {
    await mkfs('--plain');
    await mount();
    writeFileSync(join(mountpoint, 'file'), 'content');
    await signalDaemon('SIGTERM');
    expect(await isMounted()).toBe(false);
    expect(log()).toMatch(/SIGTERM: ending the mount\n[^]*All data and metadata are in the store\.\n$/);
    rmSync(join(directory, 'cache'), { recursive: true });
    await mount();
    expect(readFileSync(join(mountpoint, 'file'), 'utf8')).toBe('content');
    await umount();
  });
});

describe('the passphrase', () => {
  /** Types each answer when its prompt appears. Returns all that was on the terminal. */
  async function onTerminal(command: readonly string[], answers: readonly (readonly [string, string])[]): Promise<Result> {
    const line = command.map((word) => `'${word}'`).join(' ');
    const child = start('/usr/bin/script', ['--quiet', '--return', '--command', line, '/dev/null']);
    const remaining = [...answers];
    child.stdout.on('data', () => undefined);
    let shown = '';
    child.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString();
      const [next] = remaining;
      if (next === undefined || !shown.includes(next[0])) return;
      shown = shown.slice(shown.indexOf(next[0]) + next[0].length);
      remaining.shift();
      child.stdin.write(next[1]);
    });
    const result = await finish(child);
    child.stdin.destroy();
    return result;
  }

  test('is asked for twice at mkfs, once at mount, and never shown', async () => {
    const made = await onTerminal(
      [join(BIN, 'mkfs.s3ql'), ...common(), url()],
      [
        ['passphrase: ', 'sekret\r'],
        ['passphrase: ', 'sekret\r'],
      ],
    );
    expect(made).toMatchObject({ exitCode: 0, stdout: expect.not.stringContaining('sekret') as string });
    const mounted = await onTerminal([join(BIN, 'mount.s3ql'), ...common(), url(), mountpoint], [['passphrase: ', 'sekret\r']]);
    expect(mounted).toMatchObject({ exitCode: 0, stdout: expect.not.stringContaining('sekret') as string });
    await umount();
  });

  test('that is entered differently the second time makes no file system', async () => {
    const made = await onTerminal(
      [join(BIN, 'mkfs.s3ql'), ...common(), url()],
      [
        ['passphrase: ', 'one\r'],
        ['passphrase: ', 'two\r'],
      ],
    );
    expect(made).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('error: The two entries differ') as string });
    expect(readdirSync(store)).toEqual([]);
  });

  test('given up by Ctrl-C leaves everything as it was', async () => {
    await mkfs();
    const mounted = await onTerminal([join(BIN, 'mount.s3ql'), ...common(), url(), mountpoint], [['passphrase: ', 'x\u0003']]);
    expect(mounted.exitCode).toBe(130);
    expect(await isMounted()).toBe(false);
    expect((await mount()).exitCode).toBe(0);
    await umount();
  });

  test('comes from the authfile if it is there', async () => {
    await mkfs();
    writeFileSync(join(directory, 'authinfo2'), `[x]\nstorage-url: ${url()}\nfs-passphrase: ${PASSPHRASE}\n`, { mode: 0o600 });
    expect((await run('mount.s3ql', [...common(), url(), mountpoint], { input: '' })).exitCode).toBe(0);
    await umount();
  });

  test('is in no process list, environment or log', async () => {
    await mkfs();
    await mount('--debug');
    const pid = await daemonPid();
    const seen = readFileSync(`/proc/${pid}/cmdline`, 'utf8') + readFileSync(`/proc/${pid}/environ`, 'utf8') + log();
    expect(seen).toContain(`mount.s3ql ${url()}/ ${mountpoint}`);
    expect(seen).not.toContain(PASSPHRASE);
    await umount();
  });
});

describe('bad input is one clear line, the documented exit code, and changes nothing', () => {
  /** Resolves to the message if all of that holds. */
  async function refusal(attempt: () => Promise<Result>, exitCode: number): Promise<string> {
    const before = snapshot(store);
    const result = await attempt();
    expect({ ...result, stderr: '' }).toEqual({ exitCode, stdout: '', stderr: '' });
    expect(result.stderr).toMatch(/^error: .*\n$/);
    expect(snapshot(store)).toEqual(before);
    expect(await isMounted()).toBe(false);
    return result.stderr;
  }

  test('a wrong passphrase', async () => {
    await mkfs();
    expect(await refusal(() => run('mount.s3ql', [...common(), url(), mountpoint], { input: 'wrong\n' }), 17)).toMatch(
      /[Ww]rong passphrase/,
    );
  });

  test('no passphrase', async () => {
    await mkfs();
    expect(await refusal(() => run('mount.s3ql', [...common(), url(), mountpoint], { input: '' }), 1)).toMatch(/Standard input ended/);
  });

  test('no file system at the URL', async () => {
    expect(await refusal(() => mount(), 18)).toMatch(/No S3QL file system/);
  });

  test('a missing directory', async () => {
    rmSync(store, { recursive: true });
    mkdirSync(store);
    expect(await refusal(() => run('mount.s3ql', [...common(), `${url()}/missing`, mountpoint]), 16)).toMatch(/does not exist/);
  });

  test('mkfs over a file system', async () => {
    await mkfs();
    expect(await refusal(() => mkfs(), 1)).toMatch(/Refusing to overwrite/);
  });

  test('a missing mountpoint', async () => {
    await mkfs('--plain');
    expect(await refusal(() => run('mount.s3ql', [...common(), url(), join(directory, 'missing')]), 36)).toMatch(/missing does not exist/);
  });

  test('a read-only mount', async () => {
    expect(await refusal(() => mount('-o', 'ro'), 35)).toMatch(/Read-only/);
  });

  test('an unknown option', async () => {
    expect(await refusal(() => mount('--frobnicate'), 2)).toMatch(/Unknown option '--frobnicate'/);
  });

  test('an unknown backend', async () => {
    expect(await refusal(() => run('mount.s3ql', [...common(), 'gopher://x', mountpoint]), 2)).toMatch(/gopher/);
  });

  test('an unknown option of the backend', async () => {
    expect(await refusal(() => mount('--backend-options', 'frobnicate'), 3)).toMatch(/frobnicate/);
  });

  test('an authfile that others may read', async () => {
    writeFileSync(join(directory, 'authinfo2'), '');
    chmodSync(join(directory, 'authinfo2'), 0o644);
    expect(await refusal(() => mount(), 12)).toMatch(/may be read by other users/);
  });

  test('a log that cannot be written', async () => {
    await mkfs('--plain');
    expect(await refusal(() => mount('--log', join(directory, 'missing/log')), 10)).toMatch(/Cannot write the log file/);
  });

  test('a cache directory that cannot be used', async () => {
    writeFileSync(join(directory, 'cache'), '');
    expect(await refusal(() => mount(), 45)).toMatch(/Cannot use the cache directory/);
  });
});

describe('unmounting', () => {
  beforeEach(async () => {
    await mkfs('--plain');
    await mount();
  });

  test('a mount in use is refused with the names of its users; with --lazy it goes when they have', async () => {
    mkdirSync(join(mountpoint, 'directory'));
    const user = start('/bin/cat', [], join(mountpoint, 'directory'));
    user.stdin.write('x');
    await once(user.stdout, 'data');
    const pid = await daemonPid();
    expect(await umount()).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `error: ${mountpoint} is in use by cat (process ${user.pid}: current directory)\n`,
    });
    expect(await isMounted()).toBe(true);
    expect(await umount('--lazy')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(await isMounted()).toBe(false);
    expect(isRunning(pid)).toBe(true);
    user.stdin.end();
    await daemonEnd();
    expect(log()).toMatch(/All data and metadata are in the store\.\n$/);
  });

  test('works from inside the mount, as long as nobody else is there', async () => {
    expect((await run('umount.s3ql', [mountpoint], { cwd: mountpoint })).exitCode).toBe(0);
  });

  test('when somebody else unmounts first, still waits until everything is stored', async () => {
    const programs = join(directory, 'programs');
    mkdirSync(programs);
    const path = process.env['PATH'] ?? '';
    for (const name of ['umount', 'fusermount3']) {
      writeFileSync(join(programs, name), `#!/bin/sh\nPATH='${path}'\n${name} "$@"\nexec ${name} "$@"\n`, { mode: 0o755 });
    }
    mkdirSync(join(mountpoint, 'directory'));
    const pid = await daemonPid();
    expect(await run('umount.s3ql', [mountpoint], { env: { ...process.env, PATH: `${programs}:${path}` } })).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
    expect(isRunning(pid)).toBe(false);
    expect(await isMounted()).toBe(false);
  });

  test('a crashed mount is taken away by umount.s3ql', async () => {
    await signalDaemon('SIGKILL');
    expect(await run('s3qlstat', [mountpoint])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `error: The process that served ${mountpoint} has died: take the mount away with umount.s3ql, then mount again\n`,
    });
    expect(await umount()).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/^WARNING: .* had died\. .*\n$/) as string });
    expect(await isMounted()).toBe(false);
    expect((await mount()).exitCode).toBe(0);
    await umount();
  });

  test('a crashed mount needs nobody: mount.s3ql takes it away and recovers', async () => {
    writeFileSync(join(mountpoint, 'file'), 'content', { flush: true });
    await signalDaemon('SIGKILL');
    expect(await mount()).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('had died') as string });
    expect(readFileSync(join(mountpoint, 'file'), 'utf8')).toBe('content');
    expect((await umount()).exitCode).toBe(0);
  });

  test('what is mounted already is not mounted a second time', async () => {
    const other = join(directory, 'other');
    mkdirSync(other);
    expect(await run('mount.s3ql', [...common(), url(), other])).toMatchObject({
      exitCode: 40,
      stderr: expect.stringMatching(/^error: .*in use on this machine.*\n$/) as string,
    });
    expect((await umount()).exitCode).toBe(0);
  });

  test('data that cannot be stored keeps the file system mounted', async () => {
    writeFileSync(join(mountpoint, 'file'), 'content');
    renameSync(store, `${store}-away`);
    expect(await umount()).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `error: The file system at ${mountpoint} answers with EIO: its log says why\n`,
    });
    renameSync(`${store}-away`, store);
    expect((await umount()).exitCode).toBe(0);
  });

  test('metadata that cannot be stored is reported with exit code 2, and the next mount stores it', async () => {
    mkdirSync(join(mountpoint, 'directory'));
    renameSync(store, `${store}-away`);
    expect(await umount()).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^error: The process that served .* failed with exit code 1 while it stored data.*\n$/) as string,
    });
    renameSync(`${store}-away`, store);
    expect((await mount()).exitCode).toBe(0);
    expect(statSync(join(mountpoint, 'directory')).isDirectory()).toBe(true);
    expect((await umount()).exitCode).toBe(0);
  });

  test('with much to upload, waits until a copy of the store alone is complete', async () => {
    const source = join(directory, 'source');
    mkdirSync(source);
    for (let index = 0; index < 300; index += 1) writeFileSync(join(source, `${index}`), `content ${index}\n`.repeat(1000));
    cpSync(source, join(mountpoint, 'copy'), { recursive: true });
    expect((await umount()).exitCode).toBe(0);
    const moved = join(directory, 'moved');
    cpSync(store, moved, { recursive: true });
    store = moved;
    rmSync(join(directory, 'cache'), { recursive: true });
    expect((await mount()).exitCode).toBe(0);
    expect((await run('/usr/bin/diff', ['-r', source, join(mountpoint, 'copy')])).exitCode).toBe(0);
    await umount();
  });
});
