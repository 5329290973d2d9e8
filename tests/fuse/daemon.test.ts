/** Processes that serve a mount end when they should, and leave something that can be cleaned up when they are killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rmdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { mustRun, runProgram } from '../support/run-program.ts';

const main = fileURLToPath(new URL('../support/fuse/daemon-main.ts', import.meta.url));

class Daemon implements AsyncDisposable {
  readonly mountpoint: string;
  readonly child: ChildProcess;
  readonly exit: Promise<unknown[]>;
  stderr = '';

  private constructor(mountpoint: string) {
    this.mountpoint = mountpoint;
    this.child = spawn(process.execPath, [main, mountpoint], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.exit = once(this.child, 'exit');
    this.child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
  }

  static async start(): Promise<Daemon> {
    const daemon = new Daemon(await mkdtemp(join(tmpdir(), 's3ql-fuse-')));
    if (daemon.child.stdout === null) throw new TypeError('No output');
    const [line] = (await Promise.race([once(createInterface(daemon.child.stdout), 'line'), daemon.exit])) as unknown[];
    if (line !== 'mounted') throw new Error(`It said ${String(line)}: ${daemon.stderr}`);
    return daemon;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exit;
    await runProgram('umount', ['-l', this.mountpoint]);
    await rmdir(this.mountpoint);
  }
}

test('it ends by itself when it is unmounted', async () => {
  await using daemon = await Daemon.start();
  await writeFile(join(daemon.mountpoint, 'file'), 'x');
  await mustRun('umount', [daemon.mountpoint]);
  expect(await daemon.exit).toEqual([0, null]);
});

test('process.exit and uncaught exceptions end it at once while it is mounted and idle', async () => {
  for (const [signal, code] of [
    ['SIGUSR1', 3],
    ['SIGUSR2', 1],
  ] as const) {
    await using daemon = await Daemon.start();
    await stat(daemon.mountpoint);
    daemon.child.kill(signal);
    expect(await daemon.exit).toEqual([code, null]);
    await expect(stat(daemon.mountpoint)).rejects.toMatchObject({ code: 'ENOTCONN' });
  }
});

test('after SIGKILL clients get ENOTCONN until the mount is removed, as fusermount3 does too', async () => {
  await using daemon = await Daemon.start();
  daemon.child.kill('SIGKILL');
  expect(await daemon.exit).toEqual([null, 'SIGKILL']);
  await expect(stat(daemon.mountpoint)).rejects.toMatchObject({ code: 'ENOTCONN' });
  await mustRun('fusermount3', ['-u', daemon.mountpoint]);
  expect((await stat(daemon.mountpoint)).isDirectory()).toBe(true);
});
