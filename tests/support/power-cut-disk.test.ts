/** The disk whose power is cut: without these rules a power cut test proves nothing. */
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PowerCutDisk } from './power-cut/power-cut-disk.ts';

const CUTS = 20;
const OLD = Buffer.alloc(20_000, 'o');
const NEW = Buffer.alloc(30_000, 'n');

function sync(path: string): void {
  const fd = openSync(path, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

/** What becomes of `work`, many times. */
async function outcomes<T>(prepare: (path: string) => void, work: (path: string) => void, look: (path: string) => T): Promise<T[]> {
  await using disk = await PowerCutDisk.create();
  const found: T[] = [];
  for (let seed = 0; seed < CUTS; seed += 1) {
    const path = join(disk.path, String(seed));
    mkdirSync(path);
    prepare(path);
    sync(path);
    work(path);
    await disk.cut();
    expect(() => readdirSync(path)).toThrow('EIO');
    await disk.power(seed);
    found.push(look(path));
  }
  return found;
}

function contentOf(path: string): string {
  try {
    const content = readFileSync(join(path, 'file'));
    if (content.equals(OLD)) return 'old';
    return content.equals(NEW) ? 'new' : content.length === 0 ? 'empty' : 'mixed';
  } catch {
    return 'none';
  }
}

function put(path: string, content: Buffer): void {
  writeFileSync(join(path, 'file'), content);
  sync(join(path, 'file'));
}

test('what was synced is there, whole', async () => {
  const found = await outcomes(
    (path) => put(path, OLD),
    (path) => put(path, NEW),
    contentOf,
  );
  expect(new Set(found)).toEqual(new Set(['new']));
});

test('a new file without a sync may be anything, and its name may be missing', async () => {
  const found = await outcomes(
    () => undefined,
    (path) => writeFileSync(join(path, 'file'), NEW),
    contentOf,
  );
  expect(new Set(found.filter((content) => content !== 'new'))).toEqual(new Set(['none', 'empty', 'mixed']));
});

test('overwritten pages are old, new or torn, each by itself', async () => {
  const found = await outcomes(
    (path) => put(path, OLD),
    (path) => {
      const fd = openSync(join(path, 'file'), 'r+');
      writeSync(fd, NEW.subarray(0, OLD.length));
      closeSync(fd);
    },
    (path) => readFileSync(join(path, 'file')),
  );
  for (const content of found) expect(content.toString()).toMatch(/^[on]{20000}$/);
  const numberOfPages = new Set(found.map((content) => content.toString('latin1').match(/n+/g)?.length ?? 0));
  expect(numberOfPages.size).toBeGreaterThan(2);
});

test('a file that was synced and renamed over another is one of the two', async () => {
  const found = await outcomes(
    (path) => put(path, OLD),
    (path) => {
      writeFileSync(join(path, 'new'), NEW);
      sync(join(path, 'new'));
      renameSync(join(path, 'new'), join(path, 'file'));
    },
    contentOf,
  );
  expect(new Set(found)).toEqual(new Set(['old', 'new']));
});

test('names change in order', async () => {
  const found = await outcomes(
    () => undefined,
    (path) => {
      for (let file = 0; file < 10; file += 1) writeFileSync(join(path, String(file)), '');
      for (let file = 0; file < 5; file += 1) unlinkSync(join(path, String(file)));
    },
    (path) => readdirSync(path).toSorted().join(''),
  );
  const allowed = new Set([
    ...Array.from({ length: 11 }, (_, count) => '0123456789'.slice(0, count)),
    ...[1, 2, 3, 4, 5].map((n) => '0123456789'.slice(n)),
  ]);
  expect(found.filter((names) => !allowed.has(names))).toEqual([]);
  expect(new Set(found).size).toBeGreaterThan(3);
});

test('what was truncated or removed durably does not come back', async () => {
  const found = await outcomes(
    (path) => {
      put(path, OLD);
      put(join(path), NEW);
    },
    (path) => {
      truncateSync(join(path, 'file'), 5000);
      const fd = openSync(join(path, 'file'), 'r+');
      ftruncateSync(fd, 20_000);
      fsyncSync(fd);
      closeSync(fd);
      writeFileSync(join(path, 'other'), '');
      rmSync(join(path, 'other'));
      sync(path);
    },
    (path) => ({ names: readdirSync(path), content: readFileSync(join(path, 'file')) }),
  );
  const content = Buffer.concat([NEW.subarray(0, 5000), Buffer.alloc(15_000)]);
  for (const outcome of found) expect(outcome.names).toEqual(['file']);
  for (const outcome of found) expect(outcome.content.equals(content)).toBe(true);
});
