import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { backendSpec, openBackend } from '../../src/backends/open-backend.ts';
import { backendConformance } from './conformance.ts';

const root = mkdtempSync(join(tmpdir(), 's3ql-local-'));

afterAll(() => rmSync(root, { recursive: true }));

backendConformance('local', () => openBackend(backendSpec({ url: `local://${mkdtempSync(join(root, 'store-'))}` })));
