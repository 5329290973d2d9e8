/** Claims about what files contain, how much room they take, and copies. */
import { randomBytes } from 'node:crypto';
import { copyFile, chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { MountTarget } from '../../support/mount-target.ts';
import { runCommand } from '../../support/mounted-file-system.ts';
import { mustRun, runProgram } from '../../support/run-program.ts';
import { succeed } from '../../support/success.ts';
import {
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_INSERT_RANGE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  O_APPEND,
  O_CREAT,
  O_DIRECT,
  O_RDONLY,
  O_RDWR,
  O_SYNC,
  SEEK_DATA,
  SEEK_HOLE,
} from '../../support/syscalls/constants.ts';
import type { Call } from '../../support/syscalls/system-calls.ts';
import { make } from '../objects.ts';
import type { CheckContext, Checks } from './check.ts';

/** mkfs.s3ql is told so by the tests. */
const BLOCK_BYTES = 131_072;
const LARGEST_SIZE = (1n << 63n) - 1n;
const OPEN: readonly Call[] = [['open', 'x', O_RDWR, 0, 'f']];
const OPEN_BOTH: readonly Call[] = [
  ['open', 'from', O_RDONLY, 0, 'from'],
  ['open', 'to', O_RDWR | O_CREAT, 0o600, 'to'],
];

/** Data objects, as s3qlstat counts them. */
async function objectCount({ fileSystem }: MountTarget): Promise<number> {
  const { stdout } = await runCommand('s3qlstat', ['--raw', fileSystem.mountpoint]);
  return Number(/^Data objects:\s+(\d+)/m.exec(stdout)?.[1]);
}

/** Copies a file of that size within the mount, by one copy_file_range, and returns how many objects that added. */
async function objectsAddedByCopy({ target, agent, directory }: CheckContext, sizeBytes: number, isStored: boolean): Promise<number> {
  const data = randomBytes(sizeBytes);
  await succeed(agent, [
    ['chdir', directory],
    ['open', 'from', O_RDWR | O_CREAT, 0o600, 'f'],
    ['write', 'f', data],
    ['close', 'f'],
  ]);
  if (isStored) await target.fileSystem.flushCache();
  const whole = Math.floor(sizeBytes / BLOCK_BYTES);
  const before = isStored ? await objectCount(target) : (await objectCount(target)) + whole;
  await succeed(agent, [...OPEN_BOTH, ['copyFileRange', 'from', 0, 'to', 0, sizeBytes]]);
  const added = (await objectCount(target)) - before;
  expect((await readFile(join(directory, 'to'))).equals(data)).toBe(true);
  return added;
}

async function clonedByReference(context: CheckContext): Promise<void> {
  expect(await objectsAddedByCopy(context, 3 * BLOCK_BYTES + 1000, true)).toBe(0);
  const { blocks } = await stat(join(context.directory, 'to'));
  await succeed(context.agent, [['pwrite', 'to', 'changed', 0]]);
  const from = await readFile(join(context.directory, 'from'));
  expect(from.subarray(0, 7).toString()).not.toBe('changed');
  expect(blocks).toBeGreaterThan(0);
}

async function copiedByCp({ target, directory }: CheckContext): Promise<void> {
  await writeFile(join(directory, 'from'), randomBytes(2 * BLOCK_BYTES));
  await target.fileSystem.flushCache();
  const before = await objectCount(target);
  await mustRun('cp', [join(directory, 'from'), join(directory, 'to')]);
  await target.fileSystem.flushCache();
  expect(await objectCount(target)).toBe(before);
}

async function survivesKill({ target, agent, directory }: CheckContext): Promise<void> {
  const { fileSystem } = target;
  await succeed(agent, [
    ['open', join(directory, 'synced'), O_RDWR | O_CREAT, 0o600, 'f'],
    ['write', 'f', 'by fsync'],
    ['fsync', 'f'],
    ['open', join(directory, 'o-sync'), O_RDWR | O_CREAT | O_SYNC, 0o600, 'g'],
    ['write', 'g', 'by O_SYNC'],
  ]);
  await fileSystem.kill();
  await agent.run([]);
  await mustRun('umount', ['-l', fileSystem.mountpoint]);
  await fileSystem.mount();
  expect(await readFile(join(directory, 'synced'), 'utf8')).toBe('by fsync');
  expect(await readFile(join(directory, 'o-sync'), 'utf8')).toBe('by O_SYNC');
}

async function executes({ directory }: CheckContext): Promise<void> {
  const program = join(directory, 'program');
  await copyFile('/bin/echo', program);
  await chmod(program, 0o755);
  expect((await mustRun(program, ['hello'])).stdout).toBe('hello\n');
  await chmod(program, 0o644);
  expect((await runProgram('sh', ['-c', program])).exitCode).toBe(126);
}

const PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
const TWO_BLOCKS = make('file', 'x', { content: 'y'.repeat(2 * BLOCK_BYTES) });

export const contentChecks: Checks = {
  'size-limit': [
    { setup: make('file', 'x'), call: ['truncate', 'x', LARGEST_SIZE], after: { x: { size: LARGEST_SIZE, blocks: 0n } } },
    {
      setup: [...make('file', 'x'), ['truncate', 'x', LARGEST_SIZE]],
      steps: OPEN,
      call: ['pwrite', 'f', 'e', LARGEST_SIZE - 1n],
      result: 1,
    },
    { setup: make('file', 'x'), steps: OPEN, call: ['fallocate', 'f', 0, LARGEST_SIZE, 2], error: 'EFBIG' },
  ],
  append: [
    {
      setup: make('file', 'x', { content: 'one' }),
      steps: [
        ['open', 'x', O_RDWR | O_APPEND, 0, 'f'],
        ['open', 'x', O_RDWR | O_APPEND, 0, 'g'],
        ['write', 'f', 'two'],
      ],
      call: ['write', 'g', 'three'],
      contents: { x: 'onetwothree' },
    },
  ],
  direct: [
    {
      setup: make('file', 'x', { content: '0123456789' }),
      steps: [['open', 'x', O_RDWR | O_DIRECT, 0, 'f']],
      call: ['pwrite', 'f', 'abc', 5],
      contents: { x: '01234abc89' },
    },
    {
      setup: make('file', 'x', { content: '0123456789' }),
      steps: [['open', 'x', O_RDWR | O_DIRECT, 0, 'f']],
      call: ['pread', 'f', 3, 7],
      text: '789',
    },
  ],
  mmap: [
    {
      setup: make('file', 'x', { content: 'hello' }),
      steps: [...OPEN, ['writeMapped', 'f', 'J', 0]],
      call: ['pread', 'f', 5, 0],
      text: 'Jello',
    },
    {
      setup: make('file', 'x', { content: 'hello' }),
      steps: [...OPEN, ['pwrite', 'f', 'J', 0]],
      call: ['readMapped', 'f', 5, 0],
      text: 'Jello',
    },
    {
      setup: make('file', 'x', { content: 'hello' }),
      steps: [...OPEN, ['tick'], ['pread', 'f', 1, 0]],
      call: ['writeMapped', 'f', 'J', 0, 0, true],
      times: { x: 'mc' },
    },
  ],
  exec: executes,
  fsync: survivesKill,
  syncfs: [{ setup: make('file', 'x', { content: 'hello' }), steps: OPEN, call: ['syncfs', 'f'] }],
  'block-count': [
    { setup: [...make('file', 'x'), ['truncate', 'x', 1 << 30]], call: ['stat', 'x'], data: { blocks: 0n } },
    { setup: TWO_BLOCKS, steps: [...OPEN, ['fsync', 'f']], call: ['fstat', 'f'], data: { blocks: 512n } },
    { setup: make('file', 'x', { content: 'y' }), steps: [...OPEN, ['fsync', 'f']], call: ['fstat', 'f'], data: { blocks: 8n } },
  ],
  fallocate: [
    {
      setup: make('file', 'x', { content: 'abc' }),
      steps: OPEN,
      call: ['fallocate', 'f', 0, 0, 1 << 20],
      after: { x: { size: 1n << 20n, blocks: 8n } },
    },
    {
      setup: make('file', 'x', { content: 'abc' }),
      steps: OPEN,
      call: ['fallocate', 'f', FALLOC_FL_KEEP_SIZE, 0, 1 << 20],
      after: { x: { size: 3n } },
    },
  ],
  'punch-hole': [
    {
      setup: TWO_BLOCKS,
      steps: OPEN,
      call: ['fallocate', 'f', PUNCH, 0, BLOCK_BYTES],
      after: { x: { size: BigInt(2 * BLOCK_BYTES), blocks: 256n } },
    },
    { setup: make('file', 'x', { content: '012345' }), steps: OPEN, call: ['fallocate', 'f', PUNCH, 2, 2], contents: { x: '01\0\x0045' } },
  ],
  'zero-range': [
    {
      setup: make('file', 'x', { content: '0123' }),
      steps: OPEN,
      call: ['fallocate', 'f', FALLOC_FL_ZERO_RANGE, 2, 4],
      contents: { x: '01\0\0\0\0' },
    },
    {
      setup: make('file', 'x', { content: '0123' }),
      steps: OPEN,
      call: ['fallocate', 'f', FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 2, 4],
      contents: { x: '01\0\0' },
    },
  ],
  'shift-range': [
    { setup: TWO_BLOCKS, steps: OPEN, call: ['fallocate', 'f', FALLOC_FL_COLLAPSE_RANGE, 0, BLOCK_BYTES], error: 'EOPNOTSUPP' },
    { setup: TWO_BLOCKS, steps: OPEN, call: ['fallocate', 'f', FALLOC_FL_INSERT_RANGE, 0, BLOCK_BYTES], error: 'EOPNOTSUPP' },
  ],
  'seek-hole': [
    {
      setup: TWO_BLOCKS,
      steps: [...OPEN, ['fallocate', 'f', PUNCH, 0, BLOCK_BYTES]],
      call: ['lseek', 'f', 0, SEEK_DATA],
      result: BLOCK_BYTES,
    },
    { setup: TWO_BLOCKS, steps: OPEN, call: ['lseek', 'f', 0, SEEK_HOLE], result: 2 * BLOCK_BYTES },
    { setup: [...make('file', 'x'), ['truncate', 'x', 100]], steps: OPEN, call: ['lseek', 'f', 0, SEEK_DATA], error: 'ENXIO' },
  ],
  statfs: [{ call: ['statfs', '.'], data: { blockSizeBytes: 4096n, fragmentSizeBytes: 4096n, blocks: 1n << 28n, maxNameLength: 255n } }],
  'copy-reference': clonedByReference,
  'copy-dirty': async (context) => expect(await objectsAddedByCopy(context, 2 * BLOCK_BYTES, false)).toBe(0),
  'copy-unaligned': [
    {
      setup: make('file', 'from', { content: '0123456789' }),
      steps: OPEN_BOTH,
      call: ['copyFileRange', 'from', 3, 'to', 1, 4],
      result: 4,
      contents: { to: '\x003456' },
    },
  ],
  'copy-holes': [
    {
      setup: [...make('file', 'from'), ['truncate', 'from', 10 * BLOCK_BYTES]],
      steps: OPEN_BOTH,
      call: ['copyFileRange', 'from', 0, 'to', 0, 10 * BLOCK_BYTES],
      after: { to: { size: BigInt(10 * BLOCK_BYTES), blocks: 0n } },
    },
  ],
  'copy-cp': copiedByCp,
  ficlone: [
    { setup: make('file', 'from', { content: 'x' }), steps: OPEN_BOTH, call: ['cloneFile', 'from', 'to'], error: 'EOPNOTSUPP' },
    {
      setup: make('file', 'from', { content: 'x' }),
      steps: OPEN_BOTH,
      call: ['cloneRange', 'from', 0n, 'to', 0n, 1n],
      error: 'EOPNOTSUPP',
    },
  ],
};
