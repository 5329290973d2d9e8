/** Contents that tell what they are: any part of them shows whether it is right. */
import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Byte `index` of the content number `version`. Neighbours, versions and blocks all differ. */
function byteAt(version: number, index: number): number {
  return (Math.imul(version + 1, 0x9e3779b1) ^ Math.imul((index >> 2) + 1, 0x85ebca6b)) >>> ((index & 3) * 8);
}

export function contentOf(version: number, length: number, start: number = 0): Buffer {
  const content = Buffer.allocUnsafe(length);
  for (let index = 0; index < length; index += 1) content[index] = byteAt(version, start + index) & 0xff;
  return content;
}

/** How many bytes from the beginning are as they should be. */
export function rightLength(content: Buffer, expected: Buffer): number {
  if (content.equals(expected.subarray(0, content.length))) return content.length;
  return content.findIndex((byte, index) => byte !== expected[index]);
}

/** Whether what was written is there, except where it never got to the disk. */
export function isRightOrZero(content: Buffer, expected: Buffer): boolean {
  return content.every((byte, index) => byte === 0 || byte === expected[index]);
}

/** fsync(2) of a file or a directory by its path. */
export function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Closes what may be dead already. */
export function closeQuietly(fd: number | undefined): void {
  if (fd === undefined) return;
  try {
    closeSync(fd);
  } catch {
    // The file system is gone, and the descriptor with it.
  }
}
