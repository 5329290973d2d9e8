import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SyscallAgent } from './syscall-agent.ts';
import { O_CREAT, O_RDWR } from './syscalls/constants.ts';
import { OWNER, ROOT } from './users.ts';

let directory: string;
let agent: SyscallAgent;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 's3ql-agent-'));
  agent = new SyscallAgent();
});

afterEach(async () => {
  await agent.kill();
  await rm(directory, { recursive: true });
});

test('an agent makes calls as another user and becomes root again', async () => {
  const outcomes = await agent.run([
    ['chmod', directory, 0o755],
    ['chdir', directory],
    ['mkdir', 'open', 0o777],
    ['mkdir', 'shut', 0o700],
    ['become', OWNER],
    ['open', 'open/file', O_RDWR | O_CREAT, 0o640, 'file'],
    ['write', 'file', 'hello'],
    ['fstat', 'file'],
    ['access', 'shut', 0],
    ['mkdir', 'shut/inside', 0o700],
    ['become', ROOT],
    ['mkdir', 'shut/inside', 0o700],
  ]);
  expect(outcomes[7].data).toMatchObject({ type: 'file', mode: 0o640, uid: OWNER.uid, gid: OWNER.gid, size: 5n, nlink: 1 });
  expect(outcomes[9].error).toBe('EACCES');
  expect(outcomes.filter(({ error }) => error !== undefined)).toHaveLength(1);
});

test('a batch leaves nothing open behind, unless it is to be kept', async () => {
  await agent.runAndKeep([['open', directory, 0, 0, 'directory']]);
  const [kept] = await agent.run([['fstat', 'directory']]);
  expect(kept.data?.type).toBe('directory');
  const [gone] = await agent.run([['fstat', 'directory']]);
  expect(gone.error).toBe('EBADF');
});

test('what an agent that was killed had to do is rejected', async () => {
  const waiting = agent.run([
    ['open', directory, 0, 0, 'a'],
    ['flock', 'a', 2],
    ['open', directory, 0, 0, 'b'],
    ['flock', 'b', 2],
  ]);
  await Promise.all([expect(waiting).rejects.toThrow('SIGKILL'), agent.kill()]);
});

test('a shared mapping, a lock and a handle work as the bindings say', async () => {
  const outcomes = await agent.run([
    ['chdir', directory],
    ['open', 'f', O_RDWR | O_CREAT, 0o600, 'f'],
    ['ftruncate', 'f', 8192],
    ['writeMapped', 'f', 'mapped', 4096, 10, true],
    ['pread', 'f', 6, 4106],
    ['readMapped', 'f', 16, 4096],
    ['setLock', 'f', { type: 'write', start: 0, lengthBytes: 10 }],
    ['getLock', 'f', { type: 'write', start: 0, lengthBytes: 10 }],
    ['nameToHandle', 'f'],
    ['setxattr', 'f', 'user.colour', 'red'],
    ['getxattr', 'f', 'user.colour'],
    ['listxattr', 'f'],
    ['utimensat', 'f', [{ sec: -5, nsec: 7 }, 'omit']],
    ['stat', 'f'],
    ['tick'],
  ]);
  expect(outcomes.map(({ error }) => error)).toEqual(outcomes.map(() => undefined));
  expect(Buffer.from(outcomes[4].data as Uint8Array).toString()).toBe('mapped');
  expect(Buffer.from(outcomes[5].data as Uint8Array).toString('latin1', 10, 16)).toBe('mapped');
  expect(outcomes[7].data?.type).toBe('unlock');
  expect(Buffer.from(outcomes[10].data as Uint8Array).toString()).toBe('red');
  expect(outcomes[11].data).toEqual(['user.colour']);
  expect(outcomes[13].data?.atimeNs).toBe(-4_999_999_993n);
});
