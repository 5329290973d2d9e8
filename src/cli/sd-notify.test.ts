import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { UnixDatagramReceiver } from '../../tests/support/unix-datagram-receiver.ts';
import { reportProgress } from './progress.ts';
import { SystemdNotifier } from './sd-notify.ts';

let directory: string;
let socketPath: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'notify-'));
  socketPath = join(directory, 'socket');
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(directory, { recursive: true });
});

test('systemd hears of each stage, and is asked for patience only while something takes long', () => {
  vi.useFakeTimers();
  using receiver = new UnixDatagramReceiver(socketPath);
  using notifier = new SystemdNotifier(socketPath);
  notifier.starting();
  vi.advanceTimersByTime(10_000);
  notifier.ready('Mounted on /mnt');
  vi.advanceTimersByTime(60_000);
  notifier.stopping('Storing');
  vi.advanceTimersByTime(10_000);
  expect(receiver.received()).toEqual([
    'EXTEND_TIMEOUT_USEC=60000000',
    'EXTEND_TIMEOUT_USEC=60000000',
    `READY=1\nSTATUS=Mounted on /mnt\nMAINPID=${process.pid}`,
    'STOPPING=1\nSTATUS=Storing',
    'EXTEND_TIMEOUT_USEC=60000000',
    'EXTEND_TIMEOUT_USEC=60000000',
  ]);
});

test('progress becomes the status', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  using receiver = new UnixDatagramReceiver(socketPath);
  using notifier = new SystemdNotifier(socketPath);
  using step = reportProgress(notifier.display).step('Uploading metadata', 'pieces');
  step.update({ done: 1, total: 2 });
  vi.advanceTimersByTime(5000);
  expect(receiver.received()).toEqual(['STATUS=Uploading metadata: 1 of 2 pieces (50 %), 0 pieces/s, 5 s left']);
});

test('without systemd, or once it is gone, nothing happens', () => {
  for (const path of ['', join(directory, 'nobody')]) {
    using notifier = new SystemdNotifier(path);
    expect(() => notifier.ready('Mounted')).not.toThrow();
  }
});
