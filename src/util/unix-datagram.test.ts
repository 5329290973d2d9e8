import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UnixDatagramReceiver } from '../../tests/support/unix-datagram-receiver.ts';
import { UnixDatagramSender } from './unix-datagram.ts';

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'datagram-'))));
afterEach(() => rmSync(directory, { recursive: true }));

test('datagrams reach a socket in the file system and one in the abstract namespace', () => {
  for (const path of [join(directory, 'socket'), `@${directory}/abstract`]) {
    using receiver = new UnixDatagramReceiver(path);
    using sender = new UnixDatagramSender(path);
    sender.send('READY=1\nSTATUS=läuft');
    sender.send('second');
    expect(receiver.received()).toEqual(['READY=1\nSTATUS=läuft', 'second']);
  }
});

test('a receiver that is not there, behind or gone is an error of the call, not a wait', () => {
  const path = join(directory, 'socket');
  using sender = new UnixDatagramSender(path);
  expect(() => sender.send('x')).toThrow('ENOENT');
  {
    using _receiver = new UnixDatagramReceiver(path);
    expect(() => {
      for (;;) sender.send('x');
    }).toThrow('EAGAIN');
  }
  expect(() => sender.send('x')).toThrow('ECONNREFUSED');
});

test('a name that does not fit into a socket address is refused', () => {
  expect(() => new UnixDatagramSender('/'.repeat(200))).toThrow(RangeError);
});
