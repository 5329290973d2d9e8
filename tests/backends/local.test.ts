import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { backendSpec, openBackend } from '../../src/backends/open-backend.ts';
import { backendConformance } from './conformance.ts';

const root = mkdtempSync(join(tmpdir(), 's3ql-local-'));

afterAll(() => rmSync(root, { recursive: true }));

backendConformance('local', () => openBackend(backendSpec({ url: `local://${mkdtempSync(join(root, 'store-'))}` })));

test('on a full disk a store refuses, keeps what it has, leaves nothing half, and goes on when there is room', async () => {
  // A small file system of its own, gone with the namespace.
  const script = 'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" "$3" "$1"';
  const program = new URL('full-disk-store.ts', import.meta.url).pathname;
  const directory = mkdtempSync(join(root, 'full-'));
  const inNamespace = ['--map-root-user', '--mount', 'sh', '-c', script, 'sh'];
  const { stdout } = await promisify(execFile)('unshare', [...inNamespace, directory, process.execPath, program]);
  expect(JSON.parse(stdout)).toEqual(['done', 'NoSpaceError', 'NoSpaceError', '400000 bytes', ['s3ql_data_1'], 'done', 'done']);
});
