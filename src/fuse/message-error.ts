/** A request that is not what the protocol says: answered with this errno where it can be answered. */
export class MessageError extends Error {
  readonly errno: number;

  constructor(message: string, errno: number) {
    super(message);
    this.name = 'MessageError';
    this.errno = errno;
  }
}
