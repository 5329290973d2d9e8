/**
 * What a disk holds of a directory after a power cut: every page of a file is as it was at the file's last fdatasync, or newer.
 * A test mocks node:fs's fdatasync by `recordingFdatasync` to have those states kept.
 */
import type { fdatasync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

// The real module, also where a test has mocked the import.
const fs = process.getBuiltinModule('node:fs');
const PAGE_BYTES = 4096;
const SECTOR_BYTES = 512;

interface SyncedFile {
  /** Tells a file from an earlier one of the same name. */
  readonly identity: string;
  readonly content: Buffer;
}

/** By directory and file name. */
const synced = new Map<string, Map<string, SyncedFile>>();

function identity(path: string): string {
  const { ino, birthtimeNs } = fs.statSync(path, { bigint: true });
  return `${ino}-${birthtimeNs}`;
}

export function recordingFdatasync(): typeof fdatasync {
  const record = (fd: number, done: (error: NodeJS.ErrnoException | null) => void): void => {
    const path = fs.readlinkSync(`/proc/self/fd/${fd}`);
    const file = path.endsWith(' (deleted)') ? undefined : { identity: identity(path), content: fs.readFileSync(path) };
    fs.fdatasync(fd, (error) => {
      if (!error && file) {
        let files = synced.get(dirname(path));
        if (!files) synced.set(dirname(path), (files = new Map()));
        files.set(basename(path), file);
      }
      done(error);
    });
  };
  return record as typeof fdatasync;
}

export function forgetSyncs(directory: string): void {
  synced.delete(directory);
}

/** Copies a directory as the page cache has it: what is left after the death of a process. */
export function copyDirectory(from: string, to: string): void {
  for (const name of fs.readdirSync(from)) writeSparse(join(to, name), fs.readFileSync(join(from, name)));
}

/** Copies segment files as a disk may have them after a power cut; other files as they are. `random` gives numbers in [0, 1). */
export function copyAfterPowerCut(from: string, to: string, random: () => number): void {
  const before = synced.get(from) ?? new Map<string, SyncedFile>();
  const names = new Set([...fs.readdirSync(from), ...before.keys()]);
  for (const name of names) {
    const exists = fs.existsSync(join(from, name));
    if (!/^[0-9]+$/.test(name)) {
      if (exists) writeSparse(join(to, name), fs.readFileSync(join(from, name)));
      continue;
    }
    const last = before.get(name);
    const old = !last || (exists && last.identity !== identity(join(from, name))) ? undefined : last.content;
    // Unlinked, or created, without the directory having been synced since: both are possible.
    if (!exists || !old) {
      if (random() < 0.5) continue;
    }
    const now = exists ? fs.readFileSync(join(from, name)) : Buffer.alloc(0);
    writeSparse(join(to, name), exists ? mix(old ?? Buffer.alloc(0), now, random) : (old ?? now));
  }
}

function mix(old: Buffer, now: Buffer, random: () => number): Buffer {
  const size = Math.max(old.length, now.length);
  const result = Buffer.alloc(size);
  const kept = random();
  for (let page = 0; page < size; page += PAGE_BYTES) {
    // Records lie in the first pages; a sector is written whole.
    const step = page < 2 * PAGE_BYTES ? SECTOR_BYTES : PAGE_BYTES;
    for (let at = page; at < page + PAGE_BYTES; at += step) {
      const source = random() < kept ? now : old;
      source.copy(result, at, Math.min(at, source.length), Math.min(at + step, source.length));
    }
  }
  return result;
}

function writeSparse(path: string, content: Buffer): void {
  const fd = fs.openSync(path, 'w');
  for (let at = 0; at < content.length; at += PAGE_BYTES) {
    const page = content.subarray(at, at + PAGE_BYTES);
    if (page.some((byte) => byte !== 0)) fs.writeSync(fd, page, 0, page.length, at);
  }
  fs.ftruncateSync(fd, content.length);
  fs.closeSync(fd);
}
