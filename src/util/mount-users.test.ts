import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, copyFileSync, mkdtempSync, openSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findMountUsers } from './mount-users.ts';

/** No file system has this number. */
const NO_DEVICE = '4095:1048575';

test('processes are found by current directory, program and open files, and not once they have ended', async () => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'mount-users-')));
  const program = join(directory, 'cat-copy');
  copyFileSync('/bin/cat', program);
  const file = openSync(join(directory, 'file'), 'w');
  const children = [
    spawn('cat', { cwd: directory, stdio: ['pipe', 'pipe', 'ignore'] }),
    spawn(program, { stdio: ['pipe', 'pipe', file] }),
  ] as const;
  closeSync(file);
  try {
    // What comes back proves that the program runs.
    for (const child of children) {
      child.stdin?.write('x');
      if (child.stdout !== null) await once(child.stdout, 'data');
    }
    expect(await findMountUsers(directory, NO_DEVICE)).toEqual([
      { pid: children[0].pid, command: 'cat', uses: ['current directory'] },
      { pid: children[1].pid, command: 'cat-copy', uses: ['program', 'open file'] },
    ]);
  } finally {
    for (const child of children) {
      const exited = once(child, 'exit');
      child.stdin?.end();
      await exited;
    }
    expect(await findMountUsers(directory, NO_DEVICE)).toEqual([]);
    rmSync(directory, { recursive: true });
  }
});
