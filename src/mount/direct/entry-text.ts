/** One line per file: as `ls -l` shows it, or as JSON. */
import type { FileTypeLetter } from '../../cli/options/file-tests.ts';
import { isSymlink, PERMISSION_BITS, S_IFMT } from '../../filesystem/file-mode.ts';
import type { FileSystem } from '../../filesystem/file-system.ts';
import type { Inode } from '../../metadata/types.ts';
import { exactNumber } from '../../util/exact-number.ts';
import { jsonName } from './shown-name.ts';

const TYPES: ReadonlyMap<number, { readonly letter: FileTypeLetter; readonly listed: string; readonly name: string }> = new Map([
  [0o100000, { letter: 'f', listed: '-', name: 'file' }],
  [0o040000, { letter: 'd', listed: 'd', name: 'directory' }],
  [0o120000, { letter: 'l', listed: 'l', name: 'symlink' }],
  [0o010000, { letter: 'p', listed: 'p', name: 'fifo' }],
  [0o140000, { letter: 's', listed: 's', name: 'socket' }],
  [0o060000, { letter: 'b', listed: 'b', name: 'block-device' }],
  [0o020000, { letter: 'c', listed: 'c', name: 'character-device' }],
]);

export function typeLetter(mode: number): FileTypeLetter | undefined {
  return TYPES.get(mode & S_IFMT)?.letter;
}

/** `drwxr-sr-t`. */
export function modeText(mode: number): string {
  const triple = (shift: number, special: number, letter: string): string => {
    const bits = mode >> shift;
    const executable = (bits & 1) !== 0;
    const last = (mode & special) !== 0 ? (executable ? letter : letter.toUpperCase()) : executable ? 'x' : '-';
    return `${(bits & 4) !== 0 ? 'r' : '-'}${(bits & 2) !== 0 ? 'w' : '-'}${last}`;
  };
  return `${TYPES.get(mode & S_IFMT)?.listed ?? '?'}${triple(6, 0o4000, 's')}${triple(3, 0o2000, 's')}${triple(0, 0o1000, 't')}`;
}

/** `2026-11-22 18:04` in the machine's time zone. */
export function timeText(timeNs: bigint): string {
  const date = new Date(Number(timeNs / 1_000_000n));
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16).replace('T', ' ');
}

/** Major and minor number as makedev(3) packs them. */
export function deviceText(rdev: number): string {
  return `${(rdev >>> 8) & 0xfff}, ${(rdev & 0xff) | ((rdev >>> 12) & 0xfff00)}`;
}

/** The link target of a symbolic link, undefined of all else. */
export function linkTarget(fileSystem: FileSystem, inode: Inode): Uint8Array | undefined {
  return isSymlink(inode.mode) ? fileSystem.directories.readSymlink(inode.id) : undefined;
}

/** The object that `--json` shows of a file. Times in ns since the epoch, as text: they are beyond what numbers hold exactly. */
export function entryJson(fileSystem: FileSystem, path: Uint8Array, inode: Inode): Readonly<Record<string, unknown>> {
  const target = linkTarget(fileSystem, inode);
  return {
    ...jsonName('path', path),
    type: TYPES.get(inode.mode & S_IFMT)?.name ?? 'unknown',
    mode: (inode.mode & PERMISSION_BITS).toString(8).padStart(4, '0'),
    uid: inode.uid,
    gid: inode.gid,
    size: exactNumber(inode.size),
    inode: inode.id,
    linkCount: inode.linkCount,
    modified: new Date(Number(inode.mtimeNs / 1_000_000n)).toISOString(),
    mtimeNs: String(inode.mtimeNs),
    immutable: inode.locked,
    ...(target === undefined ? {} : jsonName('target', target)),
  };
}
