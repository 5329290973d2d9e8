/**
 * What carries messages between a session and the kernel (device-transport.ts), or a test in its place. One session uses it, from one thread.
 */
export interface Transport {
  /**
   * Reads one request into `buffer`, without waiting. Returns its length, or 0 if none is there. Throws an error whose `code` is ENODEV
   * when the file system is unmounted or the connection aborted, another one if the device fails.
   */
  receive(buffer: Uint8Array): number;

  /** Sends one reply, the first `lengthBytes` of `message` and then `tail`, without waiting. Throws what write(2) fails with. */
  send(message: Uint8Array, lengthBytes: number, tail: Uint8Array | undefined): void;

  /** Sends an unsolicited message, off the calling thread: the kernel may wait for a request to be answered before it takes it. */
  notify(message: Uint8Array): Promise<void>;

  /**
   * From now on calls `onReadable` from the event loop, never from within another call, whenever requests may be there; until it has
   * received 0 it is called again. `onReadable` returns whether there was any.
   */
  start(onReadable: () => boolean): void;

  /** Stops the calls until `resume`. */
  pause(): void;
  resume(): void;

  /** Closes the device; the kernel then aborts the connection. */
  close(): void;
}
