import { randomBytes } from 'node:crypto';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { backendSpec, openBackend, type BackendRequest } from '../../src/backends/open-backend.ts';
import { sftpFactory } from '../../src/backends/sftp/sftp-factory.ts';
import { withEnvironment } from '../support/environment.ts';
import { openingFailure } from '../support/opening-failure.ts';
import { SshServer } from '../support/servers/ssh-server.ts';
import { backendConformance } from './conformance.ts';

let server: SshServer;
let root: string;

beforeAll(async () => {
  server = await SshServer.start();
  root = mkdtempSync(join(tmpdir(), 's3ql-sftp-'));
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(root, { recursive: true });
});

const newDirectory = (): string => mkdtempSync(join(root, 'store-'));
const request = (directory: string, more: Partial<BackendRequest> = {}): BackendRequest => ({
  url: `sftp://${server.user}@127.0.0.1:${server.port}${directory}`,
  options: `identity-file=${server.file('user-key')},known-hosts=${server.file('known_hosts')}`,
  ...more,
});
const open = (directory: string = newDirectory(), more: Partial<BackendRequest> = {}): Promise<Backend> =>
  openBackend(backendSpec(request(directory, more)));

backendConformance('sftp', () => open());

/** What comes back of `{ a: 1 }`. */
async function roundTrip(backend: Backend): Promise<unknown> {
  await backend.store('k', { a: 1 }, [Buffer.from('x')]);
  return (await backend.fetch('k')).metadata;
}

describe('sftp://', () => {
  test('what it stores local:// reads, and the other way round', async () => {
    const directory = newDirectory();
    const keys = ['s3ql_data_1234567', 's3ql_params', 'odd=/#key'];
    await using local = await openBackend(backendSpec({ url: `local://${directory}` }));
    await using remote = await open(directory);
    for (const [writer, reader] of [
      [local, remote],
      [remote, local],
    ] as const) {
      for (const key of keys) await writer.store(key, { key, writer: writer.url }, [Buffer.from(key)]);
      const found = await Promise.all(keys.map((key) => reader.fetch(key)));
      expect(found.map(({ metadata, payload }) => [metadata, Buffer.from(payload).toString()])).toEqual(
        keys.map((key) => [{ key, writer: writer.url }, key]),
      );
      expect((await Array.fromAsync(reader.list(''), ({ key }) => key)).toSorted()).toEqual(keys.toSorted());
    }
  });

  test('a path may be relative to the home directory', async () => {
    const directory = mkdtempSync(join(homedir(), '.s3ql-test-'));
    try {
      const url = `sftp://${server.user}@127.0.0.1:${server.port}/~/${basename(directory)}`;
      await using backend = await open('', { url });
      expect(await roundTrip(backend)).toEqual({ a: 1 });
      expect(readdirSync(directory)).toEqual(['k']);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('keys of the agent are used, and the user may be the login', async () => {
    const socket = join(root, 'agent');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(agent.stdout, 'data');
      execFileSync('ssh-add', ['-q', server.file('user-key')], { env: { ...process.env, SSH_AUTH_SOCK: socket }, timeout: 10_000 });
      using _ = withEnvironment({ SSH_AUTH_SOCK: socket });
      const url = `sftp://127.0.0.1:${server.port}${newDirectory()}`;
      await using backend = await open('', { url, login: server.user, options: `known-hosts=${server.file('known_hosts')}` });
      expect(await roundTrip(backend)).toEqual({ a: 1 });
    } finally {
      agent.kill();
    }
  });

  test('a configuration of ssh may name host, port and key', async () => {
    const config = server.file('ssh_config');
    writeFileSync(
      config,
      `Host backups\n HostName 127.0.0.1\n Port ${server.port}\n User ${server.user}\n IdentityFile ${server.file('user-key')}\n UserKnownHostsFile ${server.file('known_hosts')}\n`,
    );
    await using backend = await open('', { url: `sftp://backups${newDirectory()}`, options: `ssh-config=${config}` });
    expect(await roundTrip(backend)).toEqual({ a: 1 });
  });

  test('the password may be the passphrase of the key', async () => {
    const key = server.file('locked-key');
    copyFileSync(server.file('user-key'), key);
    chmodSync(key, 0o600);
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'pass phrase $x', '-f', key], { timeout: 10_000 });
    const options = `identity-file=${key},known-hosts=${server.file('known_hosts')}`;
    await using backend = await open(undefined, { password: 'pass phrase $x', options });
    expect(await roundTrip(backend)).toEqual({ a: 1 });
    expect(await openingFailure(open(undefined, { password: 'wrong', options }))).toMatchObject({ exitCode: 14 });
  });

  test('a password is in no process list', async () => {
    const password = `secret-${randomBytes(8).toString('hex')}`;
    const state = { opening: true };
    const opening = openingFailure(open(undefined, { password, options: `known-hosts=${server.file('known_hosts')}` })).finally(
      () => (state.opening = false),
    );
    const seen = new Set<string>();
    while (state.opening) {
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
        seen.add(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
      }
    }
    expect(await opening).toMatchObject({ exitCode: 14 });
    const connecting = [...seen].filter((line) => line.startsWith('ssh\0') && line.includes(String(server.port)));
    expect(connecting).not.toEqual([]);
    expect([...seen].filter((line) => line.includes(password))).toEqual([]);
  });

  test('a connection that broke is replaced; what was under way fails temporarily', async () => {
    await using backend = await open(undefined, { maxConnections: 1 });
    await roundTrip(backend);
    const fetching = backend.store('large', {}, [Buffer.alloc(50_000_000)]);
    await server.stop();
    await expect(fetching).rejects.toMatchObject({ temporary: true });
    await expect(backend.stat('k')).rejects.toMatchObject({ temporary: true });
    await server.run();
    expect((await backend.stat('k')).metadata).toEqual({ a: 1 });
    expect(await Array.fromAsync(backend.list(''), ({ key }) => key)).toEqual(['k']);
  });

  test('a directory that vanished is told from an object that did', async () => {
    const directory = newDirectory();
    await using backend = await open(directory);
    await roundTrip(backend);
    rmSync(directory, { recursive: true });
    for (const run of [
      () => backend.fetch('k'),
      () => backend.store('s3ql_data_1', {}, []),
      () => backend.delete('k'),
      () => listed(backend),
    ]) {
      await expect(run()).rejects.toMatchObject({ name: 'NoSuchContainerError' });
    }
  });

  test('cleaning up removes temporary files and empty directories only', async () => {
    const directory = newDirectory();
    await using backend = await open(directory);
    for (const key of ['s3ql_data_1234', 's3ql_data_5678', 's3ql_params']) await backend.store(key, {}, []);
    await backend.delete('s3ql_data_5678');
    writeFileSync(join(directory, 's3ql_params#12-ab.tmp'), 'x');
    writeFileSync(join(directory, 's3ql_data_/123/s3ql_data_1235#12-ab.tmp'), 'x');
    expect(await sftpFactory.cleanUp?.(backendSpec(request(directory)))).toBe(2);
    expect(readdirSync(directory, { recursive: true }).map(String).toSorted()).toEqual([
      's3ql_data_',
      's3ql_data_/123',
      's3ql_data_/123/s3ql_data_1234',
      's3ql_params',
    ]);
    expect((await listed(backend)).toSorted()).toEqual(['s3ql_data_1234', 's3ql_params']);
  });

  test('no room left is told from other failures', async () => {
    const small = newDirectory();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small]);
    try {
      await using backend = await open(small);
      await expect(backend.store('k', {}, [Buffer.alloc(2_000_000)])).rejects.toMatchObject({ name: 'NoSpaceError' });
      expect(await listed(backend)).toEqual([]);
      expect(readdirSync(small)).toEqual([]);
    } finally {
      execFileSync('umount', [small]);
    }
  });
});

describe('sftp:// cannot be opened', () => {
  const known = (): string => `known-hosts=${server.file('known_hosts')}`;

  test('with a key that the server does not know: exit code 14', async () => {
    const report = await openingFailure(open(undefined, { options: `identity-file=${server.file('other-key')},${known()}` }));
    expect(report).toMatchObject({ exitCode: 14, message: expect.stringContaining('Permission denied') as string });
  });

  test('with a wrong password: exit code 14', async () => {
    const report = await openingFailure(open(undefined, { password: 'wrong', options: known() }));
    expect(report).toMatchObject({ exitCode: 14 });
    expect(report.message).not.toContain('wrong');
  });

  test('as long as the host key is not known: exit code 2', async () => {
    const options = `identity-file=${server.file('user-key')},known-hosts=/dev/null`;
    for (const password of [undefined, 'x']) {
      const report = await openingFailure(open(undefined, { options, password }));
      expect(report).toMatchObject({ exitCode: 2, message: expect.stringContaining('not known yet') as string });
    }
  });

  test('when the host key has changed: exit code 2', async () => {
    server.writeKnownHosts('changed', 'other-key');
    const report = await openingFailure(
      open(undefined, { options: `identity-file=${server.file('user-key')},known-hosts=${server.file('changed')}` }),
    );
    expect(report).toMatchObject({ exitCode: 2, message: expect.stringContaining('has changed') as string });
  });

  test('without the directory: exit code 16', async () => {
    expect(await openingFailure(open('/nowhere/at/all'))).toMatchObject({
      exitCode: 16,
      message: expect.stringContaining('/nowhere/at/all') as string,
    });
  });

  test('where nobody listens: given up within seconds', async () => {
    const report = await openingFailure(open('', { url: 'sftp://127.0.0.1:1/x' }));
    expect(report).toMatchObject({ exitCode: 1, message: expect.stringContaining('Connection refused') as string });
  });

  test('by a name that does not resolve: exit code 19', async () => {
    expect(await openingFailure(open('', { url: 'sftp://no-such-host.invalid/x' }))).toMatchObject({ exitCode: 19 });
  });

  test('at a server without SFTP: exit code 2', async () => {
    await server.stop();
    await server.run('Match all\nForceCommand echo hello');
    const report = await openingFailure(open());
    await server.stop();
    await server.run();
    expect(report).toMatchObject({ exitCode: 2, message: expect.stringContaining('SFTP') as string });
  });
});

function listed(backend: Backend): Promise<string[]> {
  return Array.fromAsync(backend.list(''), ({ key }) => key);
}
