import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  LOCK_EX,
  LOCK_NB,
  LOCK_UN,
  SEEK_DATA,
  SYNC_FILE_RANGE_WRITE,
  fallocate,
  fallocateSync,
  flockSync,
  lseekSync,
  syncFileRange,
  syncFileRangeSync,
  syncfs,
} from './libc.ts';

let directory: string;
let path: string;
let fd: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 's3ql-libc-'));
  path = join(directory, 'file');
  fd = openSync(path, 'w+');
});

afterEach(() => {
  closeSync(fd);
  rmSync(directory, { recursive: true });
});

test('fallocate reserves space and punches holes, beyond 4 GiB too', async () => {
  fallocateSync(fd, 0, 0, 8192);
  expect(statSync(path).size).toBe(8192);
  writeSync(fd, Buffer.alloc(8192, 1));
  await fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
  expect([...readFileSync(path).subarray(4094, 4098)]).toEqual([0, 0, 1, 1]);
  fallocateSync(fd, FALLOC_FL_KEEP_SIZE, 2n ** 33n, 1);
  expect(statSync(path).size).toBe(8192);
});

test('a failed call throws its errno and code, from the calling thread and from the pool', async () => {
  expect(() => fallocateSync(fd, 0, 0, 0)).toThrow(expect.objectContaining({ errno: 22, code: 'EINVAL', syscall: 'fallocate' }));
  await expect(fallocate(fd, 0, -1, 1)).rejects.toMatchObject({ errno: 22, code: 'EINVAL' });
  await expect(syncfs(-1)).rejects.toMatchObject({ errno: 9, code: 'EBADF', message: 'syncfs: EBADF' });
});

test('a lock that another descriptor holds is refused with EAGAIN until it is given up', () => {
  const other = openSync(path, 'r');
  try {
    flockSync(fd, LOCK_EX | LOCK_NB);
    expect(() => flockSync(other, LOCK_EX | LOCK_NB)).toThrow(expect.objectContaining({ code: 'EAGAIN' }));
    flockSync(fd, LOCK_UN);
    flockSync(other, LOCK_EX | LOCK_NB);
  } finally {
    closeSync(other);
  }
});

test('lseek finds data behind a hole', () => {
  ftruncateSync(fd, 1024 * 1024);
  writeSync(fd, Buffer.alloc(1, 1), 0, 1, 512 * 1024);
  expect(lseekSync(fd, 0, SEEK_DATA)).toBe(512 * 1024);
});

test('ranges and file systems can be written back, and a closed descriptor cannot', async () => {
  writeSync(fd, Buffer.alloc(8192, 1));
  syncFileRangeSync(fd, 0, 4096, SYNC_FILE_RANGE_WRITE);
  await expect(syncFileRange(fd, 4096, 0, SYNC_FILE_RANGE_WRITE)).resolves.toBeUndefined();
  await expect(syncfs(fd)).resolves.toBeUndefined();
  await expect(syncFileRange(-1, 0, 0, 0)).rejects.toMatchObject({ code: 'EBADF' });
});
