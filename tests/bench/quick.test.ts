/** The benchmark works. What it measures is nobody's business here. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Results } from '../../bench/results.ts';
import { allWorkloads } from '../../bench/workloads/all-workloads.ts';
import { mustRun, runProgram } from '../support/run-program.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TIMEOUT_MS = 300_000;

test('npm run bench -- --quick goes through every workload and leaves its results as JSON', async () => {
  const directory = await mkdtemp(join(tmpdir(), 's3ql-bench-test-'));
  try {
    const file = join(directory, 'results.json');
    const args = ['run', '--silent', 'bench', '--', '--quick', '--peer', 's3ql,s3ql-50ms,plain', '--json', file, '--directory', directory];
    const { stdout } = await mustRun('npm', args, { cwd: ROOT, timeoutMs: TIMEOUT_MS });
    const results = JSON.parse(await readFile(file, 'utf8')) as Results;
    const measured = results.measurements.filter(({ target, value }) => target === 's3ql-50ms' && value !== undefined);
    expect(measured.map(({ workload }) => workload)).toEqual(allWorkloads.map(({ name }) => name));
    expect(stdout).toContain('untar: untar of small files (files/s)');
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('a name that is no peer is refused with those that are', async () => {
  const { exitCode, stderr } = await runProgram('npm', ['run', '--silent', 'bench', '--', '--peer', 'nosuch'], { cwd: ROOT });
  expect(exitCode).toBe(2);
  expect(stderr).toBe('no peer "nosuch"; there are s3ql, s3ql-50ms, plain, bindfs, gocryptfs, cryfs, rclone, s3fs, restic, borg\n');
});
