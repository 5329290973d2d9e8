/**
 * Everything that happens to a file system, in one go: made, mounted, filled, read, changed, uploaded, unmounted, mounted on another machine,
 * compared, checked. Returns what is not as it should be.
 */
import { createHash, randomBytes } from 'node:crypto';
import { copyFile, mkdir, open, readFile, readdir, rename, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setXattr } from '../../../src/util/xattr.ts';
import type { MountProcess, Outcome, TestFileSystem } from './mount-process.ts';

const ELSEWHERE = 'elsewhere';
const BLOCK_BYTES = 65_536;
/** Uploaded before anything is changed. */
const LARGE = randomBytes(3 * BLOCK_BYTES + 1000);
const SMALL = Array.from({ length: 3 }, () => randomBytes(2000));
const CHANGED = randomBytes(5000);

/** `machine` plays both machines. Nothing may be in the store. */
export async function wholeLife({ mountpoint }: TestFileSystem, machine: MountProcess): Promise<string[]> {
  const problems: string[] = [];
  const must = async (stage: string, work: Promise<Outcome>): Promise<boolean> => {
    const { exitCode, message } = await work;
    if (exitCode !== 0) problems.push(`${stage}: exit ${exitCode}: ${message ?? ''}`);
    return exitCode === 0;
  };
  if (!(await must('mkfs', machine.mkfs()))) return problems;
  if (!(await must('mount', machine.mount()))) return problems;
  await fill(mountpoint);
  await control(mountpoint, 's3ql_dropcache!');
  problems.push(...(await differences(mountpoint, BEFORE)));
  await change(mountpoint);
  await Promise.all([machine.logged('Metadata uploaded'), control(mountpoint, 'upload-meta')]);
  await unlink(join(mountpoint, 'small-1'));
  if (!(await must('unmount', machine.unmount()))) return problems;
  if (!(await must('mount elsewhere', machine.mount({ host: ELSEWHERE })))) return problems;
  problems.push(...(await differences(mountpoint, AFTER)));
  if (!(await must('unmount elsewhere', machine.unmount()))) return problems;
  await must('fsck', machine.check(ELSEWHERE));
  return problems;
}

const BEFORE: Readonly<Record<string, string>> = {
  large: digest(LARGE),
  copy: digest(LARGE),
  'small-0': digest(SMALL[0]),
  'small-1': digest(SMALL[1]),
  'directory/small-2': digest(SMALL[2]),
};
const overwritten = Buffer.concat([LARGE.subarray(0, BLOCK_BYTES + 100), CHANGED, LARGE.subarray(BLOCK_BYTES + 100 + CHANGED.length)]);
const AFTER: Readonly<Record<string, string>> = {
  large: digest(overwritten),
  'small-0': digest(CHANGED),
  'directory/small-2': digest(SMALL[2]),
};

async function fill(mountpoint: string): Promise<void> {
  await writeFile(join(mountpoint, 'large'), LARGE);
  await copyFile(join(mountpoint, 'large'), join(mountpoint, 'copy'));
  await mkdir(join(mountpoint, 'directory'));
  await Promise.all(
    ['small-0', 'small-1', 'directory/small-2'].map((name, index) => writeFile(join(mountpoint, name), SMALL[index] ?? '')),
  );
  await symlink('large', join(mountpoint, 'directory/link'));
}

async function change(mountpoint: string): Promise<void> {
  await using large = await open(join(mountpoint, 'large'), 'r+');
  await large.write(CHANGED, 0, CHANGED.length, BLOCK_BYTES + 100);
  await large.sync();
  await writeFile(join(mountpoint, 'new'), CHANGED);
  await rename(join(mountpoint, 'new'), join(mountpoint, 'small-0'));
  await unlink(join(mountpoint, 'copy'));
  await control(mountpoint, 's3ql_flushcache!');
}

async function differences(mountpoint: string, expected: Readonly<Record<string, string>>): Promise<string[]> {
  const entries = await readdir(mountpoint, { recursive: true, withFileTypes: true });
  const found = new Map<string, string>();
  const problems: string[] = [];
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(mountpoint.length + 1);
    try {
      found.set(name, digest(await readFile(path)));
    } catch (error) {
      problems.push(`${name}: ${String(error)}`);
    }
  }
  for (const name of new Set([...found.keys(), ...Object.keys(expected)])) {
    if (found.get(name) !== expected[name]) problems.push(`${name} is ${found.has(name) ? 'not what it should be' : 'missing'}`);
  }
  return problems;
}

function digest(content: Uint8Array | undefined): string {
  return createHash('sha256')
    .update(content ?? '')
    .digest('hex');
}

function control(mountpoint: string, action: string): Promise<void> {
  return setXattr(join(mountpoint, '.__s3ql__ctrl__'), action, Buffer.from('dummy'));
}
