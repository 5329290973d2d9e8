/**
 * Whoever changes a program that runs as its owner must not get to run it as that owner. The kernel decides by the mode that it remembers, which is
 * what stat(1) shows: it asks for the mode alone.
 */
import { chmod, chown, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MountedFileSystem } from '../support/mounted-file-system.ts';
import { mustRun } from '../support/run-program.ts';
import { STRANGER } from '../support/users.ts';

const PROGRAM_MODE = 0o6777;
const CHANGES: Readonly<Record<string, string>> = {
  append: 'echo >>"$1"',
  truncate: ': >"$1"',
  overwrite: 'dd if=/dev/zero of="$1" bs=1 count=1 conv=notrunc status=none',
  allocate: 'fallocate --length 10000000 "$1"',
  punch: 'fallocate --punch-hole --length 4096 "$1"',
  copy: 'cat "$2" >/dev/null; cp "$2" "$1"',
};

test('a program that somebody else changes loses its set-id bits in the eyes of the kernel, too', async () => {
  await using system = await MountedFileSystem.create();
  const program = join(system.mountpoint, 'program');
  const other = join(system.mountpoint, 'other');
  await copyFile('/bin/true', other);
  const modes: Record<string, string> = {};
  for (const [change, script] of Object.entries(CHANGES)) {
    await copyFile('/bin/true', program);
    await chown(program, 0, 0);
    await chmod(program, PROGRAM_MODE);
    await mustRun('stat', ['-c', '%a', program]);
    await mustRun('setpriv', [
      `--reuid=${STRANGER.uid}`,
      `--regid=${STRANGER.gid}`,
      '--clear-groups',
      'sh',
      '-c',
      script,
      'sh',
      program,
      other,
    ]);
    modes[change] = (await mustRun('stat', ['-c', '%a', program])).stdout.trim();
  }
  expect(modes).toEqual(Object.fromEntries(Object.keys(CHANGES).map((change) => [change, '777'])));
});
