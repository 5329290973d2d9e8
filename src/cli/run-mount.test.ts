import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { UnixDatagramReceiver } from '../../tests/support/unix-datagram-receiver.ts';
import { logger } from '../util/log.ts';
import { runMount, type MountRequest } from './run-mount.ts';

let directory: string;
let requests: MountRequest[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mount-'));
  mkdirSync(join(directory, 'mountpoint'));
  requests = [];
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

async function mount(...argv: readonly string[]): Promise<number> {
  const files = ['--authfile', join(directory, 'authinfo2'), '--cachedir', join(directory, 'cache')];
  return runMount([`local://${directory}/store`, join(directory, 'mountpoint'), '--quiet', ...files, ...argv], {
    daemonModulePath: '/not/started',
    async startMount(request) {
      requests.push(request);
      logger('mount').info('working');
      return {
        mountpoint: request.mountpoint,
        ended: Promise.resolve({ exitCode: 7 }),
        answer: async () => undefined,
        unmount: async () => undefined,
      };
    },
  });
}

test('in the foreground the mount runs in this process, logs to the cache directory and gives the exit code', async () => {
  expect(await mount('--fg')).toBe(7);
  expect(requests).toMatchObject([
    {
      mountpoint: `${directory}/mountpoint`,
      compress: { algorithm: 'lzma', level: 6 },
      kernelFlags: [],
      storage: { backend: { url: `local://${directory}/store/`, maxConnections: 32 }, cachedir: `${directory}/cache` },
    },
  ]);
  expect(readFileSync(join(directory, 'cache/mount.log'), 'utf8')).toMatch(/ mount working\n.* mount Mounted on .*\n$/);
});

test('the command line decides how to compress, else the authfile', async () => {
  writeFileSync(join(directory, 'authinfo2'), '[all]\nstorage-url: local://\ncompress: zlib-3\nfs-passphrase: secret\n', { mode: 0o600 });
  await mount('--fg');
  await mount('--fg', '--compress', 'bzip2-2');
  expect(requests).toMatchObject([
    { compress: { algorithm: 'zlib', level: 3 }, storage: { fsPassphrase: 'secret' } },
    { compress: { algorithm: 'bzip2', level: 2 } },
  ]);
});

test('the mountpoint is its real path', async () => {
  symlinkSync('mountpoint', join(directory, 'link'));
  await mount('--fg', '--debug-modules', 'x');
  await runMount([`local://${directory}/store`, join(directory, 'link'), '-f', '--quiet'], {
    daemonModulePath: '/not/started',
    startMount: async () => Promise.reject(new Error('not to be called')),
  });
  expect(requests).toMatchObject([{ mountpoint: `${directory}/mountpoint`, debugModules: ['x'] }]);
});

test('--log none leaves no log file', async () => {
  await mount('--fg', '--log', 'none');
  expect(existsSync(join(directory, 'cache/mount.log'))).toBe(false);
});

test('with -f everything is checked, but nothing is made or mounted', async () => {
  expect(await mount('-f')).toBe(0);
  expect(requests).toEqual([]);
  expect(existsSync(join(directory, 'cache'))).toBe(false);
});

test('a mountpoint that is missing or no directory is refused with exit code 36', async () => {
  rmSync(join(directory, 'mountpoint'), { recursive: true });
  await expect(mount()).rejects.toMatchObject({ exitCode: 36, message: `mountpoint ${directory}/mountpoint does not exist` });
  writeFileSync(join(directory, 'mountpoint'), '');
  await expect(mount()).rejects.toMatchObject({ exitCode: 36, message: `mountpoint ${directory}/mountpoint is not a directory` });
});

test('under systemd readiness is reported and there is no log file', async () => {
  const socketPath = join(directory, 'notify');
  using receiver = new UnixDatagramReceiver(socketPath);
  vi.stubEnv('NOTIFY_SOCKET', socketPath);
  expect(await mount('--systemd')).toBe(7);
  expect(receiver.received()).toEqual([
    'EXTEND_TIMEOUT_USEC=60000000',
    `READY=1\nSTATUS=Mounted on ${directory}/mountpoint\nMAINPID=${process.pid}`,
  ]);
  expect(existsSync(join(directory, 'cache/mount.log'))).toBe(false);
});
