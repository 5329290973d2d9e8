/**
 * What commands that take long show meanwhile: on a terminal one line that is overwritten, with counts, rate and time left; elsewhere whole lines
 * without any control characters; as JSON, objects. Limits of bandwidth make them take long.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MountedFileSystem, runCommand } from '../support/mounted-file-system.ts';
import { mustRun } from '../support/run-program.ts';

const BIN = fileURLToPath(new URL('../../bin/', import.meta.url));
const MIB = 1024 * 1024;
const SIZE = String.raw`\d[\d.]* (?:bytes|KiB|MiB)`;
/** As in `1 of 6 blocks, 1.00 MiB of 5.72 MiB (17 %), 1.32 MiB/s, 4 s left`. */
const COUNTS_RATE_LEFT = String.raw`\d+ of \d+ [a-z]+, ${SIZE} of ${SIZE} \(\d+ %\), ${SIZE}\/s, \d+ s left`;
/** What keeps Node from colours, or makes it colour everything. */
const NEUTRAL = { NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined, TERM: 'xterm' };

let system: MountedFileSystem;
beforeAll(async () => {
  system = await MountedFileSystem.create();
});
afterAll(() => system[Symbol.asyncDispose]());

const common = (): string[] => ['--cachedir', system.cacheDirectory, '--authfile', join(system.directory, 'none')];
const random = (name: string, mebibytes: number): void => writeFileSync(join(system.mountpoint, name), randomBytes(mebibytes * MIB));
const limitUploads = (rate: string): Promise<unknown> => mustRun(join(BIN, 's3qlctrl'), ['upload-limit', system.mountpoint, rate]);

/** What the command writes to a terminal of that many columns. */
async function onTerminal(program: string, args: readonly string[], columns = 120, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const words = [join(BIN, program), ...args].map((word) => `'${word}'`).join(' ');
  const { stdout } = await mustRun('script', ['--quiet', '--return', '--command', `stty cols ${columns}; exec ${words}`, '/dev/null'], {
    env: { ...process.env, ...NEUTRAL, ...env },
  });
  return stdout;
}

const PERIOD_MS = 100;
const PAUSE_MS = 92;

/** The mount's process may work for a small part of the time only, so that what it does takes a while on every machine. */
async function slowedDown<T>(run: () => Promise<T>): Promise<T> {
  const { pid } = system;
  const pauses = setInterval(() => {
    process.kill(pid, 'SIGSTOP');
    setTimeout(() => process.kill(pid, 'SIGCONT'), PAUSE_MS);
  }, PERIOD_MS);
  try {
    return await run();
  } finally {
    clearInterval(pauses);
    process.kill(pid, 'SIGCONT');
  }
}

/** The texts that overwrote each other. */
const shown = (output: string): string[] => output.split('\r\u001B[K').map((text) => text.replaceAll(/\r?\n[^]*$/g, ''));

describe('on a terminal there are counts, rate and time left:', () => {
  test('s3qlctrl flushcache', async () => {
    random('flushed', 4);
    await limitUploads('2M');
    const output = await onTerminal('s3qlctrl', ['flushcache', system.mountpoint]);
    expect(shown(output)).toContainEqual(expect.stringMatching(new RegExp(`^Uploading data: ${COUNTS_RATE_LEFT}$`)));
    expect(output).toMatch(/Uploading data: 32 blocks, 4\.00 MiB in \d+ s\r\n/);
  });

  test('where a line is too long, sizes and the time left', async () => {
    random('narrow', 4);
    const output = await onTerminal('s3qlctrl', ['flushcache', system.mountpoint], 75);
    expect(shown(output)).toContainEqual(
      expect.stringMatching(new RegExp(`^Uploading data: ${SIZE} of ${SIZE} \\(\\d+ %\\), ${SIZE}/s, \\d+ s left$`)),
    );
    expect(Math.max(...shown(output).map(({ length }) => length))).toBeLessThan(75);
  });

  test('s3qlcp and s3qlrm, of trees whose size they do not know, counts and rate', async () => {
    await limitUploads('unlimited');
    mkdirSync(join(system.mountpoint, 'tree/0'), { recursive: true });
    for (let index = 0; index < 1000; index += 1) writeFileSync(join(system.mountpoint, 'tree/0', String(index)), '');
    // Doubled until it is a tree worth waiting for.
    for (let index = 1; index <= 5; index += 1) {
      await mustRun(join(BIN, 's3qlcp'), [join(system.mountpoint, 'tree'), join(system.mountpoint, 'half')]);
      await mustRun('mv', [join(system.mountpoint, 'half'), join(system.mountpoint, 'tree', String(index))]);
    }
    const copying = await slowedDown(() => onTerminal('s3qlcp', [join(system.mountpoint, 'tree'), join(system.mountpoint, 'copy')]));
    expect(shown(copying)).toContainEqual(expect.stringMatching(/^Copying: \d+ entries, \d+ entries\/s$/));
    expect(copying).toMatch(/Copying: 32\d{3} entries in \d+ s\r\n/);
    const removing = await slowedDown(() => onTerminal('s3qlrm', [join(system.mountpoint, 'copy')]));
    expect(shown(removing)).toContainEqual(expect.stringMatching(/^Removing: \d+ entries, \d+ entries\/s$/));
  });

  test('umount.s3ql', async () => {
    random('unmounted', 4);
    await limitUploads('2M');
    const output = await onTerminal('umount.s3ql', [system.mountpoint]);
    expect(shown(output)).toContainEqual(expect.stringMatching(new RegExp(`^Uploading changed data: ${COUNTS_RATE_LEFT}$`)));
  });

  test('s3ql_verify', async () => {
    const output = await onTerminal('s3ql_verify', ['--data', '--download-limit', '4M', ...common(), system.storageUrl]);
    expect(shown(output)).toContainEqual(expect.stringMatching(new RegExp(`^Verifying objects: ${COUNTS_RATE_LEFT}$`)));
  });

  test('s3qladm clone', async () => {
    const target = join(system.directory, 'clone');
    mkdirSync(target);
    const output = await onTerminal('s3qladm', [
      'clone',
      '--upload-limit',
      '4M',
      '--to',
      `local://${target}`,
      ...common(),
      system.storageUrl,
    ]);
    expect(shown(output)).toContainEqual(
      expect.stringMatching(new RegExp(`^Copying objects: \\d+ of \\d+ objects, ${SIZE} \\(\\d+ %\\), ${SIZE}/s, \\d+ s left$`)),
    );
    // What is done never becomes less.
    const done = shown(output)
      .flatMap((text) => /^Copying objects: \d+ of \d+ objects, .* \((\d+) %\)/.exec(text)?.[1] ?? [])
      .map(Number);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    rmSync(target, { recursive: true });
  });

  test('mount.s3ql, which downloads the metadata', async () => {
    await system.removeCache();
    const output = await onTerminal('mount.s3ql', ['--download-limit', '100K', ...common(), system.storageUrl, system.mountpoint]);
    expect(shown(output)).toContainEqual(
      expect.stringMatching(new RegExp(`^Downloading metadata: \\d+ of \\d+ pieces, ${SIZE} \\(\\d+ %\\), ${SIZE}/s, \\d+ s left$`)),
    );
  });
});

test('with NO_COLOR there is progress, but no colour', async () => {
  random('plain', 2);
  await limitUploads('2M');
  const output = await onTerminal('s3qlctrl', ['flushcache', system.mountpoint], 120, { NO_COLOR: '1' });
  expect(shown(output)).toContainEqual(expect.stringMatching(/^Uploading data: .* left$/));
  // Of all control sequences only that which clears the line.
  expect(stripVTControlCharacters(output.replaceAll('\u001B[K', ''))).toBe(output.replaceAll('\u001B[K', ''));
});

describe('elsewhere than on a terminal there are', () => {
  test('whole lines, in a terminal that cannot overwrite, too', async () => {
    random('lines', 8);
    await limitUploads('1M');
    const { stderr } = await runCommand('s3qlctrl', ['flushcache', system.mountpoint]);
    expect(stderr).toMatch(new RegExp(`^(Uploading data: ${COUNTS_RATE_LEFT}\n)+Uploading data: 64 blocks, 8\\.00 MiB in \\d+ s\n$`));
    random('dumb', 6);
    const output = await onTerminal('s3qlctrl', ['flushcache', system.mountpoint], 120, { TERM: 'dumb' });
    expect(output).toMatch(new RegExp(`^(Uploading data: ${COUNTS_RATE_LEFT}\r\n)+Uploading data: 48 blocks`));
  });

  test('with --json objects, with --quiet nothing', async () => {
    random('json', 3);
    const { stderr } = await runCommand('s3qlctrl', ['--json', 'flushcache', system.mountpoint]);
    const reports = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { progress: Record<string, unknown> });
    expect(reports.length).toBeGreaterThan(1);
    expect(reports.at(-1)).toMatchObject({ progress: { title: 'Uploading data', done: 24, bytesDone: 3 * MIB, finished: true } });
    random('quiet', 2);
    expect(await onTerminal('s3qlctrl', ['--quiet', 'flushcache', system.mountpoint])).toBe('');
  });
});
