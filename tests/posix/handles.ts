/** File handles as an NFS server uses them (name_to_handle_at(2)). */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { succeed } from '../support/success.ts';
import { SyscallAgent } from '../support/syscall-agent.ts';
import { O_CREAT, O_RDONLY, O_RDWR } from '../support/syscalls/constants.ts';
import type { Target } from '../support/target.ts';
import { make } from './objects.ts';

export function handleSuite(target: Target): void {
  describe(`handles on ${target.name}`, () => {
    let agent: SyscallAgent;
    const directory = join(target.path, 'handles');

    beforeAll(async () => {
      agent = new SyscallAgent();
      await mkdir(directory);
    });
    afterAll(() => agent.kill());

    test('a handle opens a file, also under another name', async () => {
      const [, , , , handle] = await succeed(agent, [
        ['chdir', directory],
        ...(make('file', 'f', { content: 'hello' }).slice(0, 3) as [
          ['open', string, number],
          ['write', string, string],
          ['close', string],
        ]),
        ['nameToHandle', 'f'],
      ]);
      const [, , , text] = await succeed(agent, [
        ['rename', 'f', 'g'],
        ['open', '.', O_RDONLY, 0, 'mount'],
        ['openByHandle', 'mount', handle, O_RDONLY, 'f'],
        ['read', 'f', 10],
      ]);
      await agent.run([]);
      expect(Buffer.from(text).toString()).toBe('hello');
    });

    test('a handle opens a directory', async () => {
      const [, , handle] = await succeed(agent, [
        ['chdir', directory],
        ['mkdir', 'd', 0o750],
        ['nameToHandle', 'd'],
      ]);
      const [, , attributes] = await succeed(agent, [
        ['open', '.', O_RDONLY, 0, 'mount'],
        ['openByHandle', 'mount', handle, O_RDONLY, 'd'],
        ['fstat', 'd'],
      ]);
      await agent.run([]);
      expect(attributes).toMatchObject({ type: 'directory', mode: 0o750 });
    });

    test('the handle of a file that is gone is stale', async () => {
      const [, , handle] = await succeed(agent, [
        ['chdir', directory],
        ['open', 'gone', O_RDWR | O_CREAT, 0o600],
        ['nameToHandle', 'gone'],
      ]);
      const outcomes = await agent.run([
        ['unlink', 'gone'],
        ['open', '.', O_RDONLY, 0, 'mount'],
        ['openByHandle', 'mount', handle, O_RDONLY, 'f'],
      ]);
      expect(outcomes[2].error).toBe('ESTALE');
    });
  });
}

/** For targets that can be mounted again. */
export function remountedHandleSuite(target: Target): void {
  describe(`handles on ${target.name}, mounted again`, () => {
    let agent: SyscallAgent;

    beforeAll(() => {
      agent = new SyscallAgent();
    });
    afterAll(() => agent.kill());

    test('a handle outlives a remount', async () => {
      const [, , handle] = await succeed(agent, [
        ['chdir', target.path],
        ['mkdir', 'stays', 0o711],
        ['nameToHandle', 'stays'],
      ]);
      await agent.run([]);
      await target.remount?.();
      const outcomes = await agent.run([
        ['open', target.path, O_RDONLY, 0, 'mount'],
        ['openByHandle', 'mount', handle, O_RDONLY, 'd'],
        ['fstat', 'd'],
      ]);
      expect(outcomes[2].data?.mode).toBe(0o711);
    });
  });
}
