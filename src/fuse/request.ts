/**
 * One request while it is being answered: who asks, how it is answered, whether it was interrupted. Requests that are answered before the
 * next is read share one Request (`begin` starts it anew); one that waits for a promise is left to its handler and replaced.
 */
import { constants } from 'node:os';
import type { DirectoryListing } from './directory-listing.ts';
import type { RequestContext } from './handlers.ts';
import type { Message } from './message.ts';

const TWO_TO_32 = 0x1_0000_0000;
const NO_GROUPS: readonly number[] = [];

/** The reason of an aborted RequestContext.signal: a handler may simply let it through, its errno is EINTR. */
export class InterruptedError extends Error {
  readonly errno: number = constants.errno.EINTR;
  readonly code = 'EINTR';

  constructor() {
    super('Interrupted');
    this.name = 'InterruptedError';
  }
}

/** A request's `unique` as the key of a map: a number wherever it is exact. */
export type RequestKey = number | bigint;

export function requestKey(low: number, high: number): RequestKey {
  return high < 0x20_0000 ? high * TWO_TO_32 + low : (BigInt(high) << 32n) | BigInt(low);
}

export class Request implements RequestContext {
  uid = 0;
  gid = 0;
  pid = 0;
  supplementaryGroups: readonly number[] = NO_GROUPS;
  opcode = 0;
  uniqueLow = 0;
  uniqueHigh = 0;
  /** Most bytes the reply's data may have, for requests that say so. */
  limitBytes = 0;
  /** What a READDIR or READDIRPLUS fills. */
  listing: DirectoryListing | undefined;
  /** Bytes of the receive buffer that are kept for the handler until it is done. */
  pinnedBytes = 0;
  #interrupted = false;
  #controller: AbortController | undefined;

  begin(message: Message): void {
    this.uid = message.uid;
    this.gid = message.gid;
    this.pid = message.pid;
    this.supplementaryGroups = message.hasExtensions ? message.supplementaryGroups() : NO_GROUPS;
    this.opcode = message.opcode;
    this.uniqueLow = message.uniqueLow;
    this.uniqueHigh = message.uniqueHigh;
    this.limitBytes = 0;
    this.listing = undefined;
    this.pinnedBytes = 0;
    this.#interrupted = false;
    this.#controller = undefined;
  }

  get key(): RequestKey {
    return requestKey(this.uniqueLow, this.uniqueHigh);
  }

  get unique(): bigint {
    return (BigInt(this.uniqueHigh) << 32n) | BigInt(this.uniqueLow);
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#interrupted) this.#controller.abort(new InterruptedError());
    }
    return this.#controller.signal;
  }

  interrupt(): void {
    this.#interrupted = true;
    this.#controller?.abort(new InterruptedError());
  }

  /** Whether a handler's error says that it stopped because of the interrupt: what Node's functions throw when a signal aborts them. */
  isGivenUp(error: unknown): boolean {
    return this.#interrupted && error instanceof Error && error.name === 'AbortError';
  }
}
