/**
 * What goes wrong in a handler or with a client stays there: the mount lives on.
 *
 * Clients are processes of their own: a thread of the daemon that waits for a request of its own keeps even a killed daemon from being gone.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { EntryReply, RequestContext } from '../../src/fuse/handlers.ts';
import { MemoryFileSystem } from '../support/fuse/memory-file-system.ts';
import { TestMount } from '../support/fuse/test-mount.ts';
import { mustRun, runProgram } from '../support/run-program.ts';

/** Looking up `hang` waits until told otherwise or, if it is `obedient`, interrupted. */
class HangingFileSystem extends MemoryFileSystem {
  readonly hanging = Promise.withResolvers<RequestContext>();
  readonly answer: PromiseWithResolvers<EntryReply> = Promise.withResolvers<EntryReply>();
  readonly interrupted = Promise.withResolvers<void>();
  readonly isObedient: boolean;

  constructor(isObedient: boolean) {
    super();
    this.isObedient = isObedient;
  }

  override lookup(context: RequestContext, parent: number, name: Uint8Array): EntryReply {
    if (Buffer.from(name).toString() !== 'hang') return super.lookup(context, parent, name);
    this.hanging.resolve(context);
    context.signal.addEventListener('abort', () => {
      this.interrupted.resolve();
      if (this.isObedient) this.answer.reject(context.signal.reason as Error);
    });
    return this.answer.promise as unknown as EntryReply;
  }
}

test('a handler that throws is EIO to its client and a report to the daemon; the mount lives on', async () => {
  const fileSystem = new MemoryFileSystem();
  await using mounted = await TestMount.create(fileSystem);
  fileSystem.mkdir = () => {
    throw new TypeError('bug at once');
  };
  fileSystem.symlink = () => Promise.reject(new TypeError('bug later')) as never;
  expect((await runProgram('mkdir', [mounted.path('directory')])).stderr).toContain('Input/output error');
  expect((await runProgram('ln', ['-s', 'target', mounted.path('link')])).stderr).toContain('Input/output error');
  await mustRun('touch', [mounted.path('file')]);
  expect(mounted.errors.splice(0).map(({ error, name }) => [(error as Error).message, name])).toEqual([
    ['bug at once', 'MKDIR'],
    ['bug later', 'SYMLINK'],
  ]);
});

test('a client that is killed while it waits is gone as soon as the handler gives up', async () => {
  const fileSystem = new HangingFileSystem(true);
  await using mounted = await TestMount.create(fileSystem);
  const client = spawn('stat', [mounted.path('hang')], { stdio: 'ignore' });
  expect((await fileSystem.hanging.promise).pid).toBe(client.pid);
  client.kill('SIGKILL');
  await fileSystem.interrupted.promise;
  expect(await once(client, 'exit')).toEqual([null, 'SIGKILL']);
  await mustRun('touch', [mounted.path('file')]);
});

test('a handler need not give up: the client then waits for it, and others are served meanwhile', async () => {
  const fileSystem = new HangingFileSystem(false);
  await using mounted = await TestMount.create(fileSystem);
  const client = spawn('stat', [mounted.path('hang')], { stdio: 'ignore' });
  await fileSystem.hanging.promise;
  client.kill('SIGKILL');
  await fileSystem.interrupted.promise;
  await mustRun('stat', [mounted.path()]);
  expect(client.signalCode).toBeNull();
  fileSystem.answer.resolve({ nodeId: 0, generation: 0, entryTimeoutMs: 0, attributesTimeoutMs: 0 });
  expect(await once(client, 'exit')).toEqual([null, 'SIGKILL']);
});

test('clients that wait when the connection is aborted get an error, and the handlers are interrupted', async () => {
  const fileSystem = new HangingFileSystem(true);
  await using mounted = await TestMount.create(fileSystem);
  const { stdout: device } = await mustRun('stat', ['-c', '%Hd:%Ld', mounted.path()]);
  const waiting = runProgram('stat', [mounted.path('hang')]);
  await fileSystem.hanging.promise;
  await abort(Number(device.split(':')[1]));
  expect((await waiting).stderr).toContain('Software caused connection abort');
  await fileSystem.interrupted.promise;
  await expect(mounted.mount.ended).rejects.toMatchObject({ code: 'ECONNABORTED' });
  expect(fileSystem.destroyed).toBe(1);
  expect((await runProgram('stat', [mounted.path()])).stderr).toContain('Transport endpoint is not connected');
});

/** Aborts the connection of the mount with this minor device number. */
async function abort(minor: number): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 's3ql-fusectl-'));
  await mustRun('mount', ['-t', 'fusectl', 'none', directory]);
  try {
    await writeFile(join(directory, String(minor), 'abort'), '1');
  } finally {
    await mustRun('umount', [directory]);
    await rmdir(directory);
  }
}
