/**
 * Sends datagrams to Unix sockets, which Node cannot: to syslog (/dev/log) and to systemd ($NOTIFY_SOCKET). By koffi; never blocks.
 * Sources: unix(7), sendto(2); constants of x86-64 and arm64 Linux.
 */
import { closeSync } from 'node:fs';
import koffi from 'koffi';
import { SystemCallError } from './system-call-error.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** sizeof(sockaddr_un.sun_path); a path needs room for a final NUL. */
const PATH_SIZE_BYTES = 108;

const libc = koffi.load(null);
const socketCall = libc.func('int socket(int, int, int)') as (domain: number, type: number, protocol: number) => number;
const sendtoCall = libc.func('int64_t sendto(int, const void *, size_t, int, const void *, unsigned int)') as (
  fd: number,
  bytes: Uint8Array,
  length: number,
  flags: number,
  address: Uint8Array,
  addressLength: number,
) => number;

export class UnixDatagramSender implements Disposable {
  readonly #address: Uint8Array;
  #fd: number;

  /** `path` is a file, or a name in the abstract namespace if it begins with `@`. @throws SystemCallError, RangeError */
  constructor(path: string) {
    this.#address = socketAddress(path);
    this.#fd = socketCall(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (this.#fd < 0) throw new SystemCallError('socket', koffi.errno());
  }

  /** Sends one datagram or throws: EAGAIN if the receiver is behind, ENOENT or ECONNREFUSED if there is none. @throws SystemCallError */
  send(text: string): void {
    const bytes = Buffer.from(text);
    const sent = sendtoCall(this.#fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, this.#address, this.#address.length);
    if (sent < 0) throw new SystemCallError('sendto', koffi.errno());
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}

/** struct sockaddr_un of a path as the sender takes it, as the kernel wants it, cut to the length in use. */
export function socketAddress(path: string): Uint8Array {
  const abstract = path.startsWith('@');
  const name = Buffer.from(abstract ? `\0${path.slice(1)}` : `${path}\0`);
  if (name.length > PATH_SIZE_BYTES) throw new RangeError(`socket name is too long: ${path}`);
  const address = Buffer.alloc(2 + name.length);
  // sa_family_t is in the machine's byte order; both supported machines are little-endian.
  address.writeUInt16LE(AF_UNIX, 0);
  name.copy(address, 2);
  return address;
}
