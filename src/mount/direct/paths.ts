/** Paths in a file system that no kernel resolves for us. Absolute symbolic links begin at the file system's own root. */
import { CONTROL_FILE_NAME } from '../../filesystem/directory-operations.ts';
import { isDirectory, isSymlink } from '../../filesystem/file-mode.ts';
import type { FileSystem } from '../../filesystem/file-system.ts';
import { type DirectoryEntry, type Inode, type InodeId, ROOT_INODE } from '../../metadata/types.ts';
import { FsError } from '../../util/errors.ts';

/** As the kernel's MAXSYMLINKS. */
const MAX_SYMLINKS = 40;
const LISTING_PAGE_ENTRIES = 256;
/** Deeper than any path the kernel can name: where directories go round in a circle, a walk must end. */
const MAX_DEPTH = 4096;
const SLASH = 0x2f;

/** An entry with its inode. */
export type ListedEntry = DirectoryEntry & { readonly attributes: Inode };

/** The inode at an absolute path. Symbolic links on the way are followed; one at its end only with `followLast` or a slash behind it. @throws FsError */
export function resolvePath(fileSystem: FileSystem, path: Uint8Array, followLast: boolean): Inode {
  const pending = components(path);
  /** From the root to where we are. */
  const trail: InodeId[] = [ROOT_INODE];
  const mustBeDirectory = path.at(-1) === SLASH;
  let current = fileSystem.inode(ROOT_INODE);
  let symlinkCount = 0;
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    if (!isDirectory(current.mode)) throw new FsError('ENOTDIR');
    const text = Buffer.from(name).toString('latin1');
    if (text === '.') continue;
    if (text === '..') {
      if (trail.length > 1) trail.pop();
      current = fileSystem.inode(trail.at(-1) ?? ROOT_INODE);
      continue;
    }
    const found = lookUp(fileSystem, current.id, name);
    if (found === undefined) throw new FsError('ENOENT');
    if (isSymlink(found.mode) && (pending.length > 0 || followLast || mustBeDirectory)) {
      symlinkCount += 1;
      if (symlinkCount > MAX_SYMLINKS) throw new FsError('ELOOP');
      const target = fileSystem.directories.readSymlink(found.id);
      if (target[0] === SLASH) trail.length = 1;
      current = fileSystem.inode(trail.at(-1) ?? ROOT_INODE);
      pending.unshift(...components(target));
      continue;
    }
    current = found;
    trail.push(found.id);
  }
  if (mustBeDirectory && !isDirectory(current.mode)) throw new FsError('ENOTDIR');
  return current;
}

/** The entry of a directory, without the control file. Not counted as looked up. */
export function lookUp(fileSystem: FileSystem, directory: InodeId, name: Uint8Array): Inode | undefined {
  if (CONTROL_FILE_NAME.equals(name)) return undefined;
  const found = fileSystem.directories.lookup(directory, name);
  if (found !== undefined) fileSystem.forget(found.id, 1);
  return found;
}

/** All entries of a directory, page by page. */
export function* entriesOf(fileSystem: FileSystem, directory: InodeId): Generator<ListedEntry> {
  let cookie = 0;
  for (;;) {
    const page = fileSystem.list(directory, cookie, LISTING_PAGE_ENTRIES);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    cookie = last.cookie;
  }
}

/** @throws FsError ELOOP */
export function checkDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw new FsError('ELOOP');
}

/** Metadata that was tampered with may have names that lead elsewhere on this machine. @throws FsError EINVAL */
export function checkName(name: Uint8Array): void {
  const text = Buffer.from(name).toString('latin1');
  if (text === '' || text === '.' || text === '..' || /[/\0]/.test(text)) throw new FsError('EINVAL');
}

/** `directory/name`. */
export function joinPath(directory: Uint8Array, name: Uint8Array): Buffer {
  const separator = directory.at(-1) === SLASH || directory.length === 0 ? '' : '/';
  return Buffer.concat([directory, Buffer.from(separator), name]);
}

/** The last component; empty for the root. */
export function baseName(path: Uint8Array): Uint8Array {
  return components(path).at(-1) ?? new Uint8Array(0);
}

/** The path without its last component. */
export function parentPath(path: Uint8Array): Buffer {
  return components(path)
    .slice(0, -1)
    .reduce<Buffer>((directory, name) => joinPath(directory, name), Buffer.from('/'));
}

function components(path: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let start = 0;
  for (let position = 0; position <= path.length; position += 1) {
    if (position < path.length && path[position] !== SLASH) continue;
    if (position > start) parts.push(path.subarray(start, position));
    start = position + 1;
  }
  return parts;
}
