/** Claims about locked trees, locks, notifications, handles and devices. */
import { mkdir, writeFile } from 'node:fs/promises';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ErrnoName } from '../../../src/util/errors.ts';
import { MountedFileSystem, runCommand } from '../../support/mounted-file-system.ts';
import { succeed } from '../../support/success.ts';
import { SyscallAgent } from '../../support/syscall-agent.ts';
import { LOCK_EX, LOCK_NB, O_CREAT, O_RDONLY, O_RDWR, O_TMPFILE, RENAME_EXCHANGE, S_IFCHR } from '../../support/syscalls/constants.ts';
import type { Call } from '../../support/syscalls/system-calls.ts';
import { ACCESS_ACL } from '../acl.ts';
import type { CheckContext, Checks } from './check.ts';

/** All as root; all EPERM. */
const ATTEMPTS_ON_LOCKED: readonly Call[] = [
  ['open', 'top/file', O_RDWR],
  ['pwrite', 'opened before', 'x', 0],
  ['ftruncate', 'opened before', 0],
  ['fallocate', 'opened before', 0, 0, 100],
  ['truncate', 'top/file', 0],
  ['chmod', 'top/file', 0o777],
  ['chown', 'top/file', 1, 1],
  ['utimensat', 'top/file', null],
  ['setxattr', 'top/file', 'user.x', 'y'],
  ['removexattr', 'top/file', 'user.old'],
  ['link', 'top/file', 'linked'],
  ['rename', 'top/file', 'moved'],
  ['rename', 'other', 'top/file'],
  ['rename', 'other', 'top/file', RENAME_EXCHANGE],
  ['unlink', 'top/file'],
  ['unlink', 'top/link'],
  ['rename', 'top/link', 'moved'],
  ['lchown', 'top/link', 1, 1],
  ['link', 'top/link', 'linked'],
  ['open', 'top/new', O_RDWR | O_CREAT, 0o600],
  ['open', 'top', O_RDWR | O_TMPFILE, 0o600],
  ['mkdir', 'top/new', 0o755],
  ['symlink', 'x', 'top/new'],
  ['mkfifo', 'top/new', 0o600],
  ['link', 'other', 'top/new'],
  ['rename', 'other', 'top/new'],
  ['rmdir', 'top/directory'],
  ['rename', 'top/directory', 'moved'],
  ['rename', 'top', 'moved'],
  ['chmod', 'top', 0o777],
  ['chown', 'top/directory', 1, 1],
  ['utimensat', 'top/directory', null],
  ['setxattr', 'top/directory', 'user.x', 'y'],
  ['setxattr', 'top', 'system.posix_acl_default', Buffer.from('0200000001000600ffffffff04000400ffffffff20000400ffffffff', 'hex')],
  ['removexattr', 'top', 'user.old'],
];

async function lockedTree({ agent, directory }: CheckContext): Promise<void> {
  await succeed(agent, [
    ['chdir', directory],
    ['mkdir', 'top', 0o755],
    ['mkdir', 'top/directory', 0o755],
    ['symlink', 'x', 'top/link'],
    ['open', 'top/file', O_RDWR | O_CREAT, 0o644, 'opened before'],
    ['write', 'opened before', 'kept'],
    ['setxattr', 'top/file', 'user.old', 'kept'],
    ['setxattr', 'top', 'user.old', 'kept'],
    ['open', 'other', O_RDWR | O_CREAT, 0o644],
  ]);
  expect(await runCommand('s3qllock', [join(directory, 'top')])).toMatchObject({ exitCode: 0 });
  const [before] = await succeed(agent, [['describeTree', directory]]);
  const outcomes = await agent.runAndKeep(ATTEMPTS_ON_LOCKED);
  const errors: ReadonlyArray<readonly [Call | undefined, ErrnoName | undefined]> = outcomes.map(({ error }, index) => [
    ATTEMPTS_ON_LOCKED[index],
    error,
  ]);
  expect(errors.filter(([, error]) => error !== 'EPERM')).toEqual([]);
  const [after] = await succeed(agent, [['describeTree', directory]]);
  expect(after).toEqual(before);
  // An ACL that says no more than the mode is a chmod by another name.
  const [acl] = await agent.runAndKeep([
    ['setxattr', 'top/file', ACCESS_ACL, Buffer.from('0200000001000700ffffffff04000700ffffffff20000700ffffffff', 'hex')],
  ]);
  expect(acl.error).toBe('EPERM');
}

async function lockedTreeIsRemoved({ agent, directory }: CheckContext): Promise<void> {
  const top = join(directory, 'top');
  await mkdir(join(top, 'inner'), { recursive: true });
  await writeFile(join(top, 'inner/file'), 'x');
  expect(await runCommand('s3qllock', [top])).toMatchObject({ exitCode: 0 });
  const [attributes] = await succeed(agent, [['stat', join(top, 'inner/file')]]);
  expect(attributes.size).toBe(1n);
  expect(await runCommand('s3qlrm', [top])).toMatchObject({ exitCode: 0 });
  const [gone] = await agent.run([['lstat', top]]);
  expect(gone.error).toBe('ENOENT');
}

async function locks({ agent, directory }: CheckContext): Promise<void> {
  const open: Call = ['open', join(directory, 'f'), O_RDWR | O_CREAT, 0o600, 'f'];
  await using other = new SyscallAgent();
  const all = { type: 'write', start: 0, lengthBytes: 0 } as const;
  await succeed(agent, [open, ['flock', 'f', LOCK_EX], ['setLock', 'f', all]]);
  const [, flock, fcntl] = await other.runAndKeep([open, ['flock', 'f', LOCK_EX | LOCK_NB], ['setLock', 'f', all]]);
  expect([flock.error, fcntl.error]).toEqual(['EAGAIN', 'EAGAIN']);
  const waiting = other.runAndKeep([['waitForLock', 'f', all]]);
  await succeed(agent, [['setLock', 'f', { ...all, type: 'unlock' }]]);
  expect((await waiting)[0].error).toBeUndefined();
  // The other one is killed while it waits.
  const killed = other.runAndKeep([['flock', 'f', LOCK_EX]]);
  await Promise.all([expect(killed).rejects.toThrow('SIGKILL'), other.kill()]);
  await succeed(agent, [['setLock', 'f', all]]);
}

async function inotify({ directory }: CheckContext): Promise<void> {
  const abort = new AbortController();
  const first = watch(directory, { signal: abort.signal })[Symbol.asyncIterator]().next();
  await writeFile(join(directory, 'new'), 'x');
  expect((await first).value).toMatchObject({ filename: 'new' });
  abort.abort();
}

async function devicesAreInert({ agent }: CheckContext): Promise<void> {
  await using fileSystem = await MountedFileSystem.create();
  const path = join(fileSystem.mountpoint, 'null');
  const outcomes = await agent.run([
    ['mknod', path, S_IFCHR | 0o666, 1, 3],
    ['lstat', path],
    ['open', path, O_RDONLY],
  ]);
  expect(outcomes.map(({ error }) => error)).toEqual([undefined, undefined, 'EACCES']);
  expect(outcomes[1].data).toMatchObject({ type: 'character', rdevMajor: 1, rdevMinor: 3 });
}

async function handles({ agent }: CheckContext): Promise<void> {
  await using fileSystem = await MountedFileSystem.create({ mountArguments: ['--nfs'] });
  const path = (name: string): string => join(fileSystem.mountpoint, name);
  const [, , , , , ofFile, ofDirectory, ofGone] = await succeed(agent, [
    ['mkdir', path('d'), 0o711],
    ['mkdir', path('d/e'), 0o711],
    ['open', path('d/e/file'), O_RDWR | O_CREAT, 0o600, 'f'],
    ['write', 'f', 'the same'],
    ['open', path('gone'), O_RDWR | O_CREAT, 0o600],
    ['nameToHandle', path('d/e/file')],
    ['nameToHandle', path('d/e')],
    ['nameToHandle', path('gone')],
  ]);
  await agent.run([['unlink', path('gone')]]);
  await fileSystem.remount();
  const outcomes = await agent.run([
    ['open', fileSystem.mountpoint, O_RDONLY, 0, 'mount'],
    ['openByHandle', 'mount', ofFile, O_RDONLY, 'f'],
    ['read', 'f', 100],
    ['openByHandle', 'mount', ofDirectory, O_RDONLY, 'd'],
    ['fchdir', 'd'],
    ['stat', '../../d'],
    ['openByHandle', 'mount', ofGone, O_RDONLY, 'g'],
  ]);
  expect(Buffer.from(outcomes[2].data ?? []).toString()).toBe('the same');
  expect(outcomes[5].data?.mode).toBe(0o711);
  expect(outcomes.map(({ error }) => error)).toEqual([...Array.from({ length: 6 }, () => undefined), 'ESTALE']);
}

export const protectionChecks: Checks = {
  'locked-tree': lockedTree,
  'locked-removal': lockedTreeIsRemoved,
  locks,
  inotify,
  'device-nodes': devicesAreInert,
  handles,
};
