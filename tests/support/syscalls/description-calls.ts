/** What is at a path, in a form that two file systems can be compared by: no times, no inode numbers, no allocation. */
import { createHash } from 'node:crypto';
import { closeSync, constants, openSync, readSync, readdirSync, readlinkSync } from 'node:fs';
import type { FileType } from './file-attributes.ts';
import type { Outcome } from './outcome.ts';
import { pathCalls } from './path-calls.ts';
import { xattrCalls } from './xattr-calls.ts';

export interface Description {
  readonly path: string;
  readonly type: FileType | 'nothing';
  readonly mode?: number;
  readonly nlink?: number;
  readonly owner?: string;
  readonly device?: string;
  readonly size?: bigint;
  /** SHA-256 of a file's contents, a link's target, or a directory's names. */
  readonly content?: string;
  readonly xattrs?: readonly string[];
}

const CHUNK_BYTES = 1 << 20;

export const descriptionCalls = {
  describe(paths: readonly string[]): Outcome<Description[]> {
    return { result: 0, data: paths.map((path) => describe(path)) };
  },
  /** All paths below a directory, described, in the order of their names. */
  describeTree(root: string): Outcome<Description[]> {
    const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
    return { result: 0, data: paths.map((path) => ({ ...describe(`${root}/${path}`), path })) };
  },
};

function describe(path: string): Description {
  const { data: attributes, error } = pathCalls.lstat(path);
  if (attributes === undefined) return { path, type: 'nothing', ...(error === 'ENOENT' ? {} : { content: String(error) }) };
  const { type } = attributes;
  return {
    path,
    type,
    mode: attributes.mode,
    nlink: attributes.nlink,
    owner: `${attributes.uid}:${attributes.gid}`,
    device: `${attributes.rdevMajor}:${attributes.rdevMinor}`,
    ...(type === 'file' ? { size: attributes.size } : {}),
    content: contentOf(path, type),
    xattrs: xattrsOf(path),
  };
}

function contentOf(path: string, type: FileType): string {
  if (type === 'file') return digestOf(path);
  if (type === 'symlink') return readlinkSync(path, 'latin1');
  return type === 'directory' ? readdirSync(path, 'latin1').sort().join('/') : '';
}

function xattrsOf(path: string): string[] {
  const names = xattrCalls.listxattr(path).data ?? [];
  return names.map((name) => `${name}=${Buffer.from(xattrCalls.getxattr(path, name).data ?? []).toString('hex')}`);
}

function digestOf(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOATIME);
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.alloc(CHUNK_BYTES);
    for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) hash.update(buffer.subarray(0, length));
    return hash.digest('hex');
  } finally {
    closeSync(fd);
  }
}
