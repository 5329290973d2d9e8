/** Memory of the mount's process: with very many files, and over cycles of the same work. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MountedFileSystem } from '../support/mounted-file-system.ts';
import { LONG } from '../support/options.ts';
import { mustRun } from '../support/run-program.ts';

const TIMEOUT_MS = 3_600_000;
const FILES = LONG ? 1_000_000 : 8_000;
const FILES_PER_DIRECTORY = 1_000;
const CYCLES = LONG ? 8 : 4;
const FILES_PER_CYCLE = LONG ? 50_000 : 2_000;
const LIMIT_BYTES = 300e6;
/** What garbage collection and the allocators may keep of one cycle. */
const GROWTH_BYTES = 40e6;

async function residentBytes(pid: number, field: 'VmRSS' | 'VmHWM' = 'VmRSS'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
}

/** Makes files in directories of a thousand, each tenth with some bytes of its own. */
async function makeFiles(directory: string, count: number): Promise<void> {
  const program = [
    'import os, sys',
    'top, count, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])',
    'for i in range(count):',
    '    d = f"{top}/{i // size}"',
    '    if i % size == 0: os.makedirs(d)',
    '    with open(f"{d}/file-{i}", "wb") as f:',
    '        if i % 10 == 0: f.write(b"content of file %d" % i)',
  ].join('\n');
  await mustRun('python3', ['-c', program, directory, String(count), String(FILES_PER_DIRECTORY)], { timeoutMs: TIMEOUT_MS });
}

test(`the process stays below ${LIMIT_BYTES / 1e6} MB with ${FILES} files`, { timeout: TIMEOUT_MS }, async () => {
  await using fileSystem = await MountedFileSystem.create();
  await makeFiles(join(fileSystem.mountpoint, 'many'), FILES);
  const { stdout } = await mustRun('sh', ['-c', `find ${fileSystem.mountpoint}/many -type f -size -2 | wc -l`]);
  expect(Number(stdout)).toBe(FILES);
  const made = await residentBytes(fileSystem.pid, 'VmHWM');
  await fileSystem.remount();
  await mustRun('find', [fileSystem.mountpoint, '-newer', '/']);
  const found = await residentBytes(fileSystem.pid, 'VmHWM');
  console.log(`peak while making ${FILES} files ${megabytes(made)}, while finding them after a new mount ${megabytes(found)}`);
  expect(Math.max(made, found)).toBeLessThan(LIMIT_BYTES);
});

test('memory does not grow over cycles of the same work', { timeout: TIMEOUT_MS }, async () => {
  await using fileSystem = await MountedFileSystem.create();
  const used: number[] = [];
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const directory = join(fileSystem.mountpoint, 'cycle');
    await makeFiles(directory, FILES_PER_CYCLE);
    await mustRun('sh', ['-c', `find ${directory} -type f -exec cat {} + > /dev/null`]);
    await mustRun('rm', ['-r', directory]);
    await fileSystem.control('set', 's3ql_dropcache!');
    used.push(await residentBytes(fileSystem.pid));
  }
  console.log(`after each of ${CYCLES} cycles: ${used.map(megabytes).join(', ')}`);
  const [settled = 0] = used.slice(CYCLES / 2);
  expect(Math.min(...used.slice(CYCLES / 2 + 1))).toBeLessThan(settled + GROWTH_BYTES);
});

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
