/** Receives datagrams on a Unix socket, as systemd and syslog daemons do. */
import { closeSync } from 'node:fs';
import koffi from 'koffi';
import { socketAddress } from '../../src/util/unix-datagram.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;
const MAXIMUM_LENGTH_BYTES = 65_536;

const libc = koffi.load(null);
const socketCall = libc.func('int socket(int, int, int)') as (...args: number[]) => number;
const bindCall = libc.func('int bind(int, const void *, unsigned int)') as (fd: number, address: Uint8Array, length: number) => number;
const recvCall = libc.func('int64_t recv(int, void *, size_t, int)') as (
  fd: number,
  into: Uint8Array,
  length: number,
  flags: number,
) => number;

export class UnixDatagramReceiver implements Disposable {
  readonly #fd: number;

  /** `path` as for UnixDatagramSender. */
  constructor(path: string) {
    this.#fd = socketCall(AF_UNIX, SOCK_DGRAM, 0);
    const address = socketAddress(path);
    if (bindCall(this.#fd, address, address.length) !== 0) throw new Error(`cannot bind ${path}: errno ${koffi.errno()}`);
  }

  /** What has arrived since the last call. */
  received(): string[] {
    const texts: string[] = [];
    const buffer = Buffer.alloc(MAXIMUM_LENGTH_BYTES);
    for (;;) {
      const length = recvCall(this.#fd, buffer, buffer.length, MSG_DONTWAIT);
      if (length < 0) return texts;
      texts.push(buffer.toString('utf8', 0, length));
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
