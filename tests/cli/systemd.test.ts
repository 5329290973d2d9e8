/** The units that the package brings. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseCommand } from '../../src/cli/parse-command.ts';
import { findCommand } from '../../src/commands/registry.ts';
import type { CommandSpec } from '../../src/cli/options/option.ts';
import { installDebianPackages } from '../support/debian-packages.ts';
import { mustRun } from '../support/run-program.ts';

const UNITS = join(import.meta.dirname, '../../systemd');
const BIN = join(import.meta.dirname, '../../bin');

let directory: string;
beforeAll(async () => {
  installDebianPackages('systemd');
  directory = await mkdtemp(join(tmpdir(), 'systemd-'));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

/** What the configuration file of an instance may hold, and what systemd makes of the instance. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  $MOUNT_OPTIONS: ['--allow-other', '--compress', 'zlib-6'],
  '${STORAGE_URL}': ['local:///store'],
  $BACKUP_OPTIONS: ['--expire', '1,7,14'],
  '${BACKUP_SOURCE}': ['/home/'],
  '%f': ['/mnt/data'],
};

test('every command line of the units is one that the command understands', async () => {
  const commandLines: string[] = [];
  for (const name of await readdir(UNITS)) {
    for (const line of (await readFile(join(UNITS, name), 'utf8')).split('\n')) {
      if (/^Exec\w+=/.test(line)) commandLines.push(line.replace(/^\w+=/, ''));
    }
  }
  const understood: string[] = [];
  for (const line of commandLines) {
    const [program = '', ...words] = line.split(' ').flatMap((word) => VALUES[word] ?? [word]);
    const name = program === 's3ql' ? (words.shift() ?? '') : program;
    const spec = (await findCommand(name)?.spec()) as CommandSpec<object, object>;
    parseCommand(spec, words);
    understood.push(spec.name);
  }
  expect(understood.sort()).toEqual(['backup', 'mount', 'umount']);
});

test('systemd finds nothing wrong with them', async () => {
  for (const name of await readdir(UNITS)) {
    const text = await readFile(join(UNITS, name), 'utf8');
    // Where systemd looks for programs they need not be installed.
    await writeFile(join(directory, name), text.replaceAll(/^(Exec\w+=)/gm, `$1${BIN}/`));
  }
  const units = ['s3ql@mnt-data.service', 's3ql-backup@mnt-data.service', 's3ql-backup@mnt-data.timer'];
  const { stdout, stderr } = await mustRun('systemd-analyze', ['verify', '--man=no', ...units.map((unit) => join(directory, unit))], {
    env: { ...process.env, SYSTEMD_UNIT_PATH: `${directory}:` },
  });
  expect(stdout + stderr).toBe('');
});
