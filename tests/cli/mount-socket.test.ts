/** What a mount and tools tell each other by the mount's socket. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ControlFile } from '../../src/cli/control-file.ts';
import { MountEventsListener } from '../../src/cli/mount-events.ts';
import { MountedFileSystem, runCommand } from '../support/mounted-file-system.ts';
import { STRANGER } from '../support/users.ts';

let system: MountedFileSystem;
let path: string;
beforeAll(async () => {
  system = await MountedFileSystem.create();
  path = (await (await ControlFile.find(system.mountpoint)).eventsPath()) ?? '';
});
afterAll(() => system[Symbol.asyncDispose]());

const generations = (): string[] => readdirSync(system.storeDirectory).filter((name) => name.startsWith('s3ql_params_'));

test('it is for the owner of the mount and root alone', async () => {
  expect([statSync(dirname(path)).mode & 0o777, statSync(path).mode & 0o777]).toEqual([0o700, 0o600]);
  expect(statSync(path).uid).toBe(process.getuid?.());
  const script = `require('node:net').createConnection(${JSON.stringify(path)}).on('error', (error) => { console.log(error.code); })`;
  const child = spawn(process.execPath, ['-e', script], { uid: STRANGER.uid, gid: STRANGER.gid, cwd: '/' });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  expect(said.toString().trim()).toBe('EACCES');
});

test('s3qlstat --json has all figures of the mount', async () => {
  writeFileSync(join(system.mountpoint, 'file'), 'x');
  const { stdout, exitCode } = await runCommand('s3qlstat', ['--json', system.mountpoint]);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    entryCount: 2,
    dirtyEntryCount: expect.any(Number) as number,
    mountpoint: system.mountpoint,
    storageUrl: `${system.storageUrl}/`,
    pid: system.pid,
    dataBlockSizeBytes: 131_072,
    cacheLimits: { sizeBytes: expect.any(Number) as number, entryCount: expect.any(Number) as number },
    compression: { algorithm: 'zlib', level: 1 },
    store: expect.any(Object) as object,
    state: expect.any(Object) as object,
  });
});

test('s3qlctrl backup-metadata returns when the metadata is in the store', async () => {
  writeFileSync(join(system.mountpoint, 'later'), 'y');
  const before = generations().length;
  expect(await runCommand('s3qlctrl', ['backup-metadata', system.mountpoint])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  expect(generations().length).toBe(before + 1);
});

test('what the mount does not know, or cannot do, is told', async () => {
  using listener = await MountEventsListener.connect(path, undefined);
  await expect(listener?.request('nonsense' as 'statistics')).rejects.toThrow('unknown request: nonsense');
});

test('it goes with the mount, and that of a killed mount with the next', async () => {
  await system.kill();
  await runCommand('umount.s3ql', [system.mountpoint]);
  expect(readdirSync(dirname(path))).toHaveLength(1);
  await system.mount();
  expect(readdirSync(dirname(path))).toHaveLength(1);
  await system.unmount();
  expect(readdirSync(dirname(path))).toEqual([]);
});
