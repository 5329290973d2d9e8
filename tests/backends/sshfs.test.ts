/** local:// in a directory that is on another machine, by sshfs. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { backendSpec, openBackend } from '../../src/backends/open-backend.ts';
import { startSshfs, type TestStore } from '../support/stores.ts';
import { backendConformance } from './conformance.ts';

let store: TestStore;

beforeAll(async () => {
  store = await startSshfs();
});

afterAll(() => store[Symbol.asyncDispose]());

backendConformance('local on sshfs', () => {
  const mountpoint = store.url.slice('local://'.length);
  return openBackend(backendSpec({ url: `local://${mkdtempSync(join(mountpoint, 'store-'))}` }));
});
