import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UnpackedFixture } from '../../../tests/support/fixtures.ts';
import type { Backend } from '../backend.ts';
import { BackendError, CorruptedObjectError, NoSpaceError, NoSuchContainerError, NoSuchObjectError, PermissionError } from '../errors.ts';
import { backendSpec, canonicalStorageUrl, cleanUpBackend, openBackend } from '../open-backend.ts';
import { errorCode, toBackendError } from './local-errors.ts';

let root: string;
let store: Backend;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 's3ql-local-'));
  store = await openBackend(backendSpec({ url: `local://${root}` }));
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .toSorted();

describe('the URL', () => {
  test.for([
    ['local:///srv/store', 'local:///srv/store/'],
    ['local:///srv//a/../store/', 'local:///srv/store/'],
    ['local:///', 'local:///'],
    ['local://relative', `local://${process.cwd()}/relative/`],
  ] as const)('%s is %s in canonical form', ([url, canonical]) => {
    expect(canonicalStorageUrl(url)).toBe(canonical);
  });

  test('without a directory it is refused with exit code 2', () => {
    expect(() => canonicalStorageUrl('local://')).toThrow(expect.objectContaining({ exitCode: 2 }));
  });

  test('takes no options: exit code 3', () => {
    expect(() => backendSpec({ url: 'local:///srv', options: 'no-ssl' })).toThrow(expect.objectContaining({ exitCode: 3 }));
  });
});

test('an object’s file is magic, length, metadata text and payload, at S3QL’s place', async () => {
  const { storedSizeBytes } = await store.store('s3ql_data_1234', { format_version: 2, data: Buffer.from('{  }') }, [
    Buffer.from('payload'),
  ]);
  const text = "{ 'format_version': 2, 'data': b'eyAgfQ==' }";
  const file = readFileSync(join(root, 's3ql_data_/123/s3ql_data_1234'), 'latin1');
  expect(file).toBe(`s3ql_1\n${String.fromCharCode(text.length)}\0${text}payload`);
  expect(storedSizeBytes).toBe(file.length);
  expect(filesBelow(root)).toEqual(['s3ql_data_/123/s3ql_data_1234']);
});

test('a store made by S3QL is listed and read', async () => {
  using fixture = new UnpackedFixture('plain-none');
  await using made = await openBackend(backendSpec({ url: `local://${fixture.directory}` }));
  const keys: string[] = [];
  for await (const { key } of made.list('')) keys.push(key);
  expect(keys.map((key) => key.replace(/^.*\//, '')).toSorted()).toEqual(
    filesBelow(fixture.directory)
      .map((path) => path.replace(/^.*\//, ''))
      .toSorted(),
  );
  expect(await made.stat('s3ql_params')).toMatchObject({ metadata: { format_version: 2, encryption: 'None' } });
});

describe('a damaged file', () => {
  const whole = Buffer.concat([Buffer.from("s3ql_1\n\x06\0{'a':1}").fill(0x06, 7, 8), Buffer.from('payload')]);

  test.for([
    ['an empty one', Buffer.alloc(0)],
    ['one cut in the magic', whole.subarray(0, 4)],
    ['one cut in the length', whole.subarray(0, 8)],
    ['one cut in the metadata', Buffer.from("s3ql_1\n\x20\0{ 'a")],
    ['one with another magic', Buffer.from('s3ql_2\n\x04\0{  }payload')],
    ['one with text that is no mapping', Buffer.from('s3ql_1\n\x04\0oopspayload')],
    ['one with a float among its metadata', Buffer.from("s3ql_1\n\x0c\0{ 'a': 1.5 }")],
  ] as const)('%s is a CorruptedObjectError for fetch, range and stat', async ([, content]) => {
    writeFileSync(join(root, 'k'), content);
    await expect(store.fetch('k')).rejects.toThrow(CorruptedObjectError);
    await expect(store.fetch('k', { range: { offset: 0, lengthBytes: 1 } })).rejects.toThrow(CorruptedObjectError);
    await expect(store.stat('k')).rejects.toThrow(CorruptedObjectError);
  });

  test('a directory or a FIFO in the place of an object is one, too, and does not hang us', async () => {
    mkdirSync(join(root, 'directory'));
    execFileSync('mkfifo', [join(root, 'fifo')]);
    await expect(store.fetch('directory')).rejects.toThrow(CorruptedObjectError);
    await expect(store.stat('fifo')).rejects.toThrow(CorruptedObjectError);
  });

  test('metadata larger than the first read is read whole', async () => {
    const value = 'x'.repeat(60_000);
    await store.store('k', { value }, [Buffer.from('payload')]);
    expect((await store.stat('k')).metadata).toEqual({ value });
    expect(Buffer.from((await store.fetch('k', { range: { offset: 3, lengthBytes: 2 } })).payload).toString()).toBe('lo');
  });
});

describe('what is no object', () => {
  test('temporary files, foreign directories and misplaced files are not listed', async () => {
    await store.store('s3ql_data_1', {}, []);
    writeFileSync(join(root, 's3ql_params#12-34.tmp'), 'x');
    writeFileSync(join(root, 's3ql_data_/s3ql_data_2#12-34.tmp'), 'x');
    writeFileSync(join(root, 's3ql_data_/s3ql_data_99999'), 'x');
    mkdirSync(join(root, 'lost+found'));
    writeFileSync(join(root, 'lost+found/x'), 'x');
    const keys: string[] = [];
    for await (const { key } of store.list('')) keys.push(key);
    expect(keys).toEqual(['s3ql_data_1']);
  });

  test('cleaning up removes temporary files and empty directories, nothing else', async () => {
    await store.store('s3ql_data_1', {}, []);
    await store.store('s3ql_data_1234', {}, []);
    await store.store('s3ql_data_5678', {}, []);
    await store.delete('s3ql_data_5678');
    const stale = ['s3ql_params#12-34.tmp', 's3ql_data_/s3ql_data_2#12-a7x1.tmp', 's3ql_data_/567/s3ql_data_5679#1-2.tmp', '#1-2.tmp'];
    for (const path of stale) writeFileSync(join(root, path), 'x');
    for (const path of ['notes#1.tmp', 'notes.txt', 'a#1-2.tmp.txt']) writeFileSync(join(root, path), 'x');
    mkdirSync(join(root, 'empty'));
    expect(await cleanUpBackend(backendSpec({ url: `local://${root}` }))).toBe(4);
    expect(filesBelow(root)).toEqual([
      'a#1-2.tmp.txt',
      'notes#1.tmp',
      'notes.txt',
      's3ql_data_/123/s3ql_data_1234',
      's3ql_data_/s3ql_data_1',
    ]);
    expect([existsSync(join(root, 'empty')), existsSync(join(root, 's3ql_data_/567'))]).toEqual([true, false]);
    // The store notices that a directory it knew is gone.
    await store.store('s3ql_data_5678', {}, []);
    expect(filesBelow(root)).toContain('s3ql_data_/567/s3ql_data_5678');
  });
});

describe('failures', () => {
  test('a store that fails leaves no temporary file', async () => {
    mkdirSync(join(root, 'k'));
    writeFileSync(join(root, 'k/content'), 'x');
    await expect(store.store('k', {}, [Buffer.from('x')])).rejects.toThrow(BackendError);
    expect(filesBelow(root)).toEqual(['k/content']);
  });

  test('an aborted store leaves no temporary file', async () => {
    const controller = new AbortController();
    const storing = store.store('k', {}, [Buffer.alloc(100_000)], { signal: controller.signal });
    controller.abort('stop');
    await expect(storing).rejects.toBe('stop');
    expect(filesBelow(root)).toEqual([]);
  });

  test('a directory that does not exist is a NoSuchContainerError, so is a file', async () => {
    writeFileSync(join(root, 'file'), 'x');
    for (const path of ['missing', 'file']) {
      await expect(openBackend(backendSpec({ url: `local://${root}/${path}` }))).rejects.toThrow(NoSuchContainerError);
    }
  });

  test('when the directory goes away, objects are not missing: the store is', async () => {
    await store.store('k', {}, []);
    renameSync(root, `${root}-moved`);
    await expect(store.fetch('k')).rejects.toThrow(NoSuchContainerError);
    await expect(store.store('k', {}, [])).rejects.toThrow(NoSuchContainerError);
    await expect(store.list('')[Symbol.asyncIterator]().next()).rejects.toThrow(NoSuchContainerError);
    renameSync(`${root}-moved`, root);
    await expect(store.fetch('missing')).rejects.toThrow(NoSuchObjectError);
  });

  test('when another directory takes its place, as after an unmount, the store fails for the moment', async () => {
    await store.store('k', {}, []);
    renameSync(root, `${root}-moved`);
    mkdirSync(root);
    await expect(store.fetch('k')).rejects.toMatchObject({ name: 'BackendError', temporary: true });
    rmSync(root, { recursive: true });
    renameSync(`${root}-moved`, root);
    expect(await store.fetch('k')).toMatchObject({ metadata: {} });
  });

  test('a data directory may lie elsewhere, behind a symbolic link', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 's3ql-elsewhere-'));
    symlinkSync(elsewhere, join(root, 's3ql_data_'));
    await store.store('s3ql_data_1', {}, [Buffer.from('x')]);
    const keys: string[] = [];
    for await (const { key } of store.list('s3ql_data_')) keys.push(key);
    expect([keys, filesBelow(elsewhere)]).toEqual([['s3ql_data_1'], ['s3ql_data_1']]);
    rmSync(elsewhere, { recursive: true });
  });

  test.for([
    ['ENOSPC', NoSpaceError, true],
    ['EDQUOT', NoSpaceError, true],
    ['EACCES', PermissionError, false],
    ['EROFS', PermissionError, false],
    ['EIO', BackendError, true],
    ['ENOTCONN', BackendError, true],
    ['EMFILE', BackendError, true],
    ['EISDIR', BackendError, false],
  ] as const)('%s of the system becomes what it means for a store', ([code, errorClass, temporary]) => {
    const error = toBackendError(Object.assign(new Error(`${code}: write`), { code }), 'store object k');
    expect(error).toBeInstanceOf(errorClass);
    expect(error).toMatchObject({ temporary, message: `cannot store object k: ${code}: write` });
  });

  test('errors that are not the system’s pass unchanged', () => {
    const bug = new TypeError('x');
    expect(toBackendError(bug, 'x')).toBe(bug);
    expect(errorCode(AbortSignal.abort().reason)).toBeUndefined();
  });
});
