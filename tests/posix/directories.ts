/** Listing directories: large ones, small buffers, names of any bytes, and while entries come and go (POSIX readdir, getdents64(2)). */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LONG } from '../support/options.ts';
import { succeed } from '../support/success.ts';
import { SyscallAgent } from '../support/syscall-agent.ts';
import { O_RDONLY, SEEK_SET } from '../support/syscalls/constants.ts';
import type { ListedEntry } from '../support/syscalls/descriptor-calls.ts';
import type { Call } from '../support/syscalls/system-calls.ts';
import type { Target } from '../support/target.ts';
import { FILE_TYPES, make } from './objects.ts';

const ENTRY_COUNT = LONG ? 200_000 : 5000;
/** Room for two entries or so. */
const TINY_BUFFER_BYTES = 80;
const CALLS_PER_BATCH = 1000;
const ROUNDS_OF_CHANGE = 15;
/** Of a large directory. */
const CHANGES = 8;
const OPEN: Call = ['open', '.', O_RDONLY, 0, 'd'];

function namesOf(entries: readonly ListedEntry[]): string[] {
  return entries.map(({ name }) => Buffer.from(name).toString('latin1')).filter((name) => name !== '.' && name !== '..');
}

export function directorySuite(target: Target): void {
  describe(`directories on ${target.name}`, () => {
    let agent: SyscallAgent;
    let count = 0;

    beforeAll(async () => {
      agent = new SyscallAgent();
      await mkdir(join(target.path, 'directories'));
    });
    afterAll(() => agent.kill());
    beforeEach(async () => {
      count += 1;
      const directory = join(target.path, 'directories', String(count));
      await agent.run([]);
      await succeed(agent, [
        ['mkdir', directory, 0o755],
        ['chdir', directory],
      ]);
    });

    async function makeFiles(names: readonly string[]): Promise<void> {
      for (let at = 0; at < names.length; at += CALLS_PER_BATCH) {
        await succeed(
          agent,
          names.slice(at, at + CALLS_PER_BATCH).flatMap((name) => make('file', name).slice(0, 1)),
        );
      }
    }

    test('an empty directory lists . and ..', async () => {
      const [, entries] = await succeed(agent, [OPEN, ['listDirectory', 'd']]);
      expect(entries.map(({ name }) => Buffer.from(name).toString()).sort()).toEqual(['.', '..']);
    });

    test('every entry of a large directory is listed once', async () => {
      const names = Array.from({ length: ENTRY_COUNT }, (_, index) => `entry-${index}`);
      await makeFiles(names);
      const [, entries] = await succeed(agent, [OPEN, ['listDirectory', 'd']]);
      expect(namesOf(entries).sort()).toEqual(names.sort());
    });

    test('a buffer for one or two entries is enough', async () => {
      const names = Array.from({ length: 300 }, (_, index) => `entry-${index}`);
      await makeFiles(names);
      const [, entries] = await succeed(agent, [OPEN, ['listDirectory', 'd', TINY_BUFFER_BYTES]]);
      expect(namesOf(entries).sort()).toEqual(names.sort());
    });

    test('names may hold every byte but slash and NUL', async () => {
      const bytes = Array.from({ length: 255 }, (_, index) => index + 1).filter((byte) => byte !== 0x2f && byte !== 0x2e);
      const names = [...bytes.map((byte) => Buffer.of(byte)), Buffer.from(bytes), Buffer.from('\u65e5\u672c'), Buffer.alloc(255, 0xff)];
      await succeed(
        agent,
        names.map((name) => ['mkdir', name, 0o755] as const),
      );
      const [, entries] = await succeed(agent, [OPEN, ['listDirectory', 'd']]);
      expect(namesOf(entries).sort()).toEqual(names.map((name) => name.toString('latin1')).sort());
    });

    test('an entry tells the type and inode that lstat tells', async () => {
      await succeed(
        agent,
        FILE_TYPES.flatMap((type) => make(type, type)),
      );
      const [, entries] = await succeed(agent, [OPEN, ['listDirectory', 'd']]);
      const types: Readonly<Record<string, number>> = { fifo: 1, character: 2, directory: 4, block: 6, file: 8, symlink: 10, socket: 12 };
      for (const type of FILE_TYPES) {
        const [attributes] = await succeed(agent, [['lstat', type]]);
        expect(entries.find(({ name }) => Buffer.from(name).toString() === type)).toMatchObject({ ino: attributes.ino, type: types[type] });
      }
    });

    test('listing goes on from a cookie', async () => {
      await makeFiles(Array.from({ length: 100 }, (_, index) => `entry-${index}`));
      const [, all] = await succeed(agent, [OPEN, ['listDirectory', 'd']]);
      for (const at of [0, 1, 50, 99, 100]) {
        const [, rest] = await succeed(agent, [
          ['lseek', 'd', all[at]?.nextOffset as bigint, SEEK_SET],
          ['listDirectory', 'd'],
        ]);
        expect(rest.map(({ name }) => name)).toEqual(all.slice(at + 1).map(({ name }) => name));
      }
    });

    test('back at the start, new entries are seen and removed ones are not', async () => {
      await makeFiles(['a', 'b']);
      const [, , , , , entries] = await succeed(agent, [
        OPEN,
        ['listDirectory', 'd'],
        ['unlink', 'a'],
        ...(make('file', 'c').slice(0, 1) as [Call]),
        ['lseek', 'd', 0, SEEK_SET],
        ['listDirectory', 'd'],
      ]);
      expect(namesOf(entries).sort()).toEqual(['b', 'c']);
    });

    test('what stays while others come and go is listed once', async () => {
      const stable = Array.from({ length: 400 }, (_, index) => `stable-${index}`);
      const doomed = Array.from({ length: 400 }, (_, index) => `doomed-${index}`);
      await makeFiles(stable.flatMap((name, index) => [name, doomed[index] as string]));
      await succeed(agent, [OPEN]);
      const seen: string[] = [];
      for (let round = 0; ; round += 1) {
        const [entries] = await succeed(agent, [['getdents', 'd', 1024]]);
        if (entries.length === 0) break;
        seen.push(...namesOf(entries));
        // A file system may list what comes later too: it must come to an end.
        if (round > ROUNDS_OF_CHANGE) continue;
        const victims = doomed.splice(0, 10).flatMap((name): Call[] => [['unlink', name]]);
        await succeed(agent, [...victims, ['mkdir', `new-${round}`, 0o755], ['rename', `new-${round}`, `newer-${round}`]]);
      }
      expect(seen.filter((name) => name.startsWith('stable')).sort()).toEqual(stable.sort());
      expect(new Set(seen).size).toBe(seen.length);
    });

    test.each([
      ['as plain entries', false],
      ['with their attributes', true],
    ])('a large directory, read %s while others come and go, is listed whole and nothing twice', async (_how, attributesToo) => {
      const stable = Array.from({ length: ENTRY_COUNT / 2 }, (_, index) => `stable-${index}`);
      const doomed = Array.from({ length: ENTRY_COUNT / 2 }, (_, index) => `doomed-${index}`);
      await makeFiles(stable.flatMap((name, index) => [name, doomed[index] as string]));
      // Behind and in front of the reader.
      doomed.sort((a, b) => Number(a.slice(-1)) - Number(b.slice(-1)));
      await succeed(agent, [OPEN]);
      const seen: string[] = [];
      for (let round = 0; ; round += 1) {
        const [entries] = await succeed(agent, [['getdents', 'd']]);
        if (entries.length === 0) break;
        const names = namesOf(entries);
        seen.push(...names);
        // Whoever looks at what was listed is given attributes with the entries from then on.
        if (attributesToo) await agent.runAndKeep(names.map((name) => ['lstat', name] as const));
        if (round > CHANGES) continue;
        const victims = doomed.splice(0, 20).map((name): Call => ['unlink', name]);
        await succeed(agent, [...victims, ['mkdir', `new-${round}`, 0o755], ['rename', `stable-${round}`, `moved-${round}`]]);
      }
      const moved = seen.filter((name) => name.startsWith('moved')).length;
      expect(new Set(seen).size).toBe(seen.length);
      const renamed = new Set(Array.from({ length: CHANGES + 1 }, (_, index) => `stable-${index}`));
      expect(seen.filter((name) => name.startsWith('stable') && !renamed.has(name)).sort()).toEqual(
        stable.filter((name) => !renamed.has(name)).sort(),
      );
      expect(moved).toBeLessThanOrEqual(CHANGES + 1);
    });

    test('listing and removing what was listed empties a directory', async () => {
      await makeFiles(Array.from({ length: 1000 }, (_, index) => `entry-${index}`));
      await succeed(agent, [OPEN]);
      for (;;) {
        const [entries] = await succeed(agent, [['getdents', 'd', 2048]]);
        if (entries.length === 0) break;
        await succeed(
          agent,
          namesOf(entries).map((name) => ['unlink', name] as const),
        );
      }
      const [, rest] = await succeed(agent, [
        ['lseek', 'd', 0, SEEK_SET],
        ['listDirectory', 'd'],
      ]);
      expect(namesOf(rest)).toEqual([]);
    });

    test('a file has as many names as it is given', async () => {
      const linkCount = LONG ? 65_000 : 2000;
      await succeed(agent, make('file', 'name-0'));
      const links = Array.from({ length: linkCount - 1 }, (_, index): Call => ['link', 'name-0', `name-${index + 1}`]);
      for (let at = 0; at < links.length; at += CALLS_PER_BATCH) await succeed(agent, links.slice(at, at + CALLS_PER_BATCH));
      const [attributes] = await succeed(agent, [['stat', `name-${linkCount - 1}`]]);
      expect(attributes.nlink).toBe(linkCount);
    });

    test('directories go 500 deep and come back', async () => {
      const depth = 500;
      await succeed(
        agent,
        Array.from({ length: depth }, (): Call[] => [
          ['mkdir', 'down', 0o755],
          ['chdir', 'down'],
        ]).flat(),
      );
      await succeed(
        agent,
        Array.from({ length: depth }, (): Call[] => [
          ['chdir', '..'],
          ['rmdir', 'down'],
        ]).flat(),
      );
      const [, entries] = await succeed(agent, [OPEN, ['listDirectory', 'd']]);
      expect(namesOf(entries)).toEqual([]);
    });
  });
}
