import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { backendSpec } from '../../src/backends/open-backend.ts';
import { ThreadedBackend } from '../../src/backends/threaded-backend.ts';
import { backendConformance } from './conformance.ts';

const root = mkdtempSync(join(tmpdir(), 's3ql-threaded-'));

afterAll(() => rmSync(root, { recursive: true }));

backendConformance('a local store in a thread', () => {
  const directory = mkdtempSync(join(root, 'store-'));
  return ThreadedBackend.open(backendSpec({ url: `local://${directory}` }));
});
