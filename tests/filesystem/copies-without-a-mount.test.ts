/** Copies between this machine and a file system, as `s3ql get` and `put` make them: what goes wrong on the way, and names that lead astray. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CopyIn } from '../../src/mount/direct/copy-in.ts';
import { CopyOut } from '../../src/mount/direct/copy-out.ts';
import { CopyReport } from '../../src/mount/direct/copy-report.ts';
import { FileErrors } from '../../src/mount/direct/file-errors.ts';
import { findFiles } from '../../src/mount/direct/find-files.ts';
import { ResultWriter } from '../../src/mount/direct/output.ts';
import { WriteGate } from '../../src/mount/write-gate.ts';
import { recordLogs } from '../../src/util/log.ts';
import type { ProgressStep } from '../../src/util/progress.ts';
import { MemoryFileSystem, ROOT } from '../support/memory-file-system.ts';

let directory: string;
let memory: MemoryFileSystem;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 's3ql-copies-'));
  memory = await MemoryFileSystem.open();
});
afterEach(async () => {
  await memory[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

function parts(onUpdate: () => void = () => {}): {
  controller: AbortController;
  errors: FileErrors;
  report: CopyReport;
  signal: AbortSignal;
} {
  const controller = new AbortController();
  const { signal } = controller;
  const step: ProgressStep = { update: onUpdate, [Symbol.dispose]: () => undefined };
  return { controller, errors: new FileErrors(signal), report: new CopyReport(step), signal };
}

test('a copy in that is interrupted in the middle of a file leaves the files before it, and nothing of that one', async () => {
  const source = join(directory, 'source');
  mkdirSync(source);
  writeFileSync(join(source, 'large'), Buffer.alloc(3 * 1024 * 1024, 1));
  const { controller, ...rest } = parts(() => controller.abort());
  const copy = new CopyIn({ fileSystem: memory.fs, gate: new WriteGate(), ...rest });
  await expect(copy.copy(Buffer.from(source), ROOT, Buffer.from('copy'))).rejects.toMatchObject({ name: 'AbortError' });
  const made = memory.lookup(ROOT, 'copy');
  expect(made === undefined ? [] : memory.names(made)).toEqual([]);
  await memory.fs.finish();
  expect([...memory.database.inodes.orphans()]).toEqual([]);
});

test('a file system that takes no changes any more ends a copy in with an error for each file', async () => {
  using logs = recordLogs();
  writeFileSync(join(directory, 'a'), 'a');
  const gate = new WriteGate();
  gate.close('lost', 'somebody else has it');
  const { errors, report, signal } = parts();
  await new CopyIn({ fileSystem: memory.fs, gate, errors, report, signal }).copy(Buffer.from(join(directory, 'a')), ROOT, Buffer.from('a'));
  expect([errors.count, errors.exitCode, memory.lookup(ROOT, 'a')]).toEqual([1, 1, undefined]);
  expect(logs.records).toMatchObject([{ level: 'error', message: expect.stringContaining('read-only file system') as string }]);
});

test.each(['..', '.', 'a/b', '../escaped'])('an entry named %s is not copied out of the target', async (name) => {
  using logs = recordLogs();
  const id = await memory.file(ROOT, 'innocent', 'x');
  const tampered = memory.directory(ROOT, 'tree');
  memory.database.entries.insert(tampered, Buffer.from(name), id);
  const target = join(directory, 'deep', 'target');
  mkdirSync(join(directory, 'deep'));
  const { errors, report, signal } = parts();
  await new CopyOut({ fileSystem: memory.fs, errors, report, signal }).copy(memory.fs.inode(tampered), Buffer.from(target));
  expect(errors.count).toBe(1);
  expect([readdirSync(target), readdirSync(join(directory, 'deep')), existsSync(join(directory, 'escaped'))]).toEqual([
    [],
    ['target'],
    false,
  ]);
  expect(logs.records).toHaveLength(1);
});

test('nothing is written through a symbolic link at the target', async () => {
  using _logs = recordLogs();
  const tree = memory.directory(ROOT, 'tree');
  memory.fs.directories.makeSymlink(tree, Buffer.from('link'), Buffer.from(directory), { uid: 0, gid: 0, umask: 0 });
  const inner = memory.directory(tree, 'sub');
  await memory.file(inner, 'file', 'x');
  const target = join(directory, 'target');
  mkdirSync(target);
  mkdirSync(join(directory, 'elsewhere'));
  symlinkSync(join(directory, 'elsewhere'), join(target, 'sub'));
  const { errors, report, signal } = parts();
  await new CopyOut({ fileSystem: memory.fs, errors, report, signal }).copy(memory.fs.inode(tree), Buffer.from(target));
  expect(errors.count).toBe(1);
  expect(readdirSync(join(directory, 'elsewhere'))).toEqual([]);
  expect(readdirSync(target).sort()).toEqual(['link', 'sub']);
});

test('a walk over directories that go round in a circle ends', async () => {
  using _logs = recordLogs();
  const top = memory.directory(ROOT, 'top');
  const below = memory.directory(top, 'below');
  memory.database.entries.insert(below, Buffer.from('up'), top);
  const nothing = {
    name: () => false,
    iname: undefined,
    types: [],
    sizes: [],
    newerThanNs: undefined,
    olderThanNs: undefined,
    maxDepth: undefined,
  };
  await using output = new ResultWriter();
  expect(await findFiles(memory.fs, ['/top'], nothing, 'lines', output, new AbortController().signal)).toBe(1);
});
