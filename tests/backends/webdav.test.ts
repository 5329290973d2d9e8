import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { openDecorated } from '../../src/backends/decorated-backend.ts';
import { backendSpec, openBackend, type BackendRequest } from '../../src/backends/open-backend.ts';
import { webdavFactory } from '../../src/backends/webdav/webdav-factory.ts';
import { openingFailure } from '../support/opening-failure.ts';
import { LoopbackServer } from '../support/servers/loopback-server.ts';
import { startApache, startRclone, WEBDAV_PASSWORD, WEBDAV_USER, type WebdavServer } from '../support/servers/webdav-servers.ts';
import { backendConformance } from './conformance.ts';

const request = (server: WebdavServer, directory: string, more: Partial<BackendRequest> = {}): BackendRequest => ({
  url: `webdav://${server.host}${server.path}${basename(directory)}`,
  login: WEBDAV_USER,
  password: WEBDAV_PASSWORD,
  options: 'no-ssl',
  ...more,
});

const openAt = (server: WebdavServer, directory: string, more: Partial<BackendRequest> = {}): Promise<Backend> =>
  openBackend(backendSpec(request(server, directory, more)));

async function keysOf(backend: Backend): Promise<string[]> {
  return (await Array.fromAsync(backend.list(''), ({ key }) => key)).toSorted();
}

async function textOf(backend: Backend, key: string): Promise<string> {
  return Buffer.from((await backend.fetch(key)).payload).toString();
}

describe.for([
  ['Apache with Digest', () => startApache('digest')],
  ['Apache with Basic', () => startApache('basic')],
  ['rclone', () => startRclone('always')],
] as const)('webdav:// at %s', ([, start]) => {
  let server: WebdavServer;

  beforeAll(async () => {
    server = await start();
  });

  afterAll(() => server[Symbol.asyncDispose]());

  test('what it stores local:// reads, and the other way round', async () => {
    const directory = await server.newDirectory();
    const keys = ['s3ql_data_1234567', 's3ql_params', 'odd=/#key'];
    await using local = await openBackend(backendSpec({ url: `local://${directory}` }));
    await using remote = await openAt(server, directory);
    for (const [writer, reader] of [
      [remote, local],
      [local, remote],
    ] as const) {
      for (const key of keys) await writer.store(key, { key, writer: writer.url }, [Buffer.from(`${writer.url} ${key}`)]);
      expect(await Promise.all(keys.map((key) => textOf(reader, key)))).toEqual(keys.map((key) => `${writer.url} ${key}`));
      expect(await keysOf(reader)).toEqual(keys.toSorted());
    }
    expect(readdirSync(directory).toSorted()).toEqual(['odd=3D=2F=23key', 's3ql_data_', 's3ql_params']);
  });

  test('an object whose replacement was interrupted is read, listed and deleted all the same', async () => {
    const directory = await server.newDirectory();
    await using backend = await openAt(server, directory);
    for (const [key, waiting] of [
      ['s3ql_params', 's3ql_params#0mflw1w0t0-00000001.new'],
      ['other', 'other#0mflw1w0t0-00000001.new'],
    ] as const) {
      await backend.store(key, { a: 1 }, [Buffer.from(`content of ${key}`)]);
      // The server died when it had deleted the old one.
      renameSync(join(directory, key), join(directory, waiting));
    }
    // rclone looks again after a while.
    await using fresh = await openAt(server, directory);
    expect(await keysOf(fresh)).toEqual(['other', 's3ql_params']);
    expect(await textOf(fresh, 's3ql_params')).toBe('content of s3ql_params');
    expect((await fresh.stat('s3ql_params')).metadata).toEqual({ a: 1 });
    await fresh.delete('other');
    expect(await keysOf(fresh)).toEqual(['s3ql_params']);
  });

  test('cleaning up finishes replacements and removes temporary files', async () => {
    const directory = await server.newDirectory();
    {
      await using backend = await openAt(server, directory);
      for (const key of ['s3ql_params', 's3ql_data_1234', 'x']) await backend.store(key, {}, [Buffer.from(key)]);
    }
    renameSync(join(directory, 's3ql_params'), join(directory, 's3ql_params#0mflw1w0t0-00000002.new'));
    writeFileSync(join(directory, 's3ql_params#0mflw1w0t0-00000001.new'), 'older');
    writeFileSync(join(directory, 'x#0mflw1w0t0-00000001.new'), 'late');
    writeFileSync(join(directory, 's3ql_data_/123/s3ql_data_1235#0mflw1w0t0-00000001.tmp'), 'half');
    expect(await webdavFactory.cleanUp?.(backendSpec(request(server, directory)))).toBe(4);
    expect(readdirSync(directory, { recursive: true }).map(String).toSorted()).toEqual([
      's3ql_data_',
      's3ql_data_/123',
      's3ql_data_/123/s3ql_data_1234',
      's3ql_params',
      'x',
    ]);
    expect(readFileSync(join(directory, 's3ql_params'), 'utf8')).toContain('s3ql_params');
  });

  test('a collection that vanished is told from an object that did', async () => {
    const directory = await server.newDirectory();
    await using backend = await openAt(server, directory);
    await backend.store('k', {}, []);
    rmSync(directory, { recursive: true });
    for (const run of [
      () => backend.fetch('k'),
      () => backend.store('s3ql_data_1', {}, []),
      () => backend.delete('k'),
      () => keysOf(backend),
    ]) {
      await expect(run()).rejects.toMatchObject({ name: 'NoSuchContainerError' });
    }
  });

  test('a wrong password, or none, exits with 14', async () => {
    for (const more of [{ password: 'wrong' }, { login: undefined, password: undefined }]) {
      const report = await openingFailure(openAt(server, await server.newDirectory(), more));
      expect(report).toMatchObject({ exitCode: 14, message: expect.stringContaining('backend-password') as string });
    }
  });

  test('a collection that is not there exits with 16', async () => {
    expect(await openingFailure(openAt(server, '/nowhere'))).toMatchObject({ exitCode: 16 });
  });

  test('a file instead of a collection exits with 2', async () => {
    writeFileSync(join(server.directory, 'a-file'), 'x');
    expect(await openingFailure(openAt(server, '/a-file'))).toMatchObject({ exitCode: 2 });
  });
});

describe.for([
  ['Apache', () => startApache('digest'), openBackend],
  // It ends a connection when the file that it is sending is replaced. As the program opens it, that is tried again.
  ['rclone', () => startRclone('seldom'), openDecorated],
] as const)('webdav:// at %s', ([name, start, open]) => {
  let server: WebdavServer;

  beforeAll(async () => {
    server = await start();
  });

  afterAll(() => server[Symbol.asyncDispose]());

  backendConformance(`webdav (${name})`, async () => open(backendSpec(request(server, await server.newDirectory()))));
});

test('what does not speak WebDAV exits with 2', async () => {
  for (const status of [405, 301]) {
    await using web = await LoopbackServer.start(() => ({ status, headers: { location: 'https://elsewhere/' } }));
    const opening = openBackend(backendSpec({ url: `webdav://127.0.0.1:${web.port}/x`, options: 'no-ssl' }));
    expect(await openingFailure(opening)).toMatchObject({ exitCode: 2 });
  }
});
