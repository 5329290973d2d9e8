/**
 * What a kind of store declares about itself: its URL scheme, options and credentials, and how to open it. One factory per scheme, listed in
 * registry.ts. Factories are loaded by every command, so they stay small: `open` imports the store's client when it is needed.
 */
import type { Backend } from './backend.ts';
import type { Bandwidth, BandwidthLimits } from './bandwidth/bandwidth.ts';

/** An option of `--backend-options` or authinfo2's `backend-options`. */
export interface BackendOptionSpec {
  /** false: a flag, `name`; true: `name=value`. */
  readonly takesValue: boolean;
  /** One line for the manual. */
  readonly description: string;
}

/** Parsed backend options: flags are true. */
export type BackendOptions = Readonly<Record<string, string | true>>;

/** Everything needed to open a store. Plain data, so that it can be sent to a worker thread. */
export interface BackendSpec {
  /** Canonical storage URL. */
  readonly url: string;
  readonly login?: string;
  readonly password?: string;
  /** Checked against the factory's table. */
  readonly options: BackendOptions;
  /** How many requests may be under way at a time: the size for connection pools. */
  readonly maxConnections: number;
  /** Default: none. */
  readonly bandwidthLimits?: BandwidthLimits;
  /** How long a failing request is tried again. Default: as the retry policy says. */
  readonly giveUpAfterMs?: number;
}

/** What a store is opened with, in the thread that does it. */
export interface OpenSpec extends BackendSpec {
  /** What all transfers ask before they go on; kept by the store's client unless its factory says `wholeTransfers`. Default: no limits. */
  readonly bandwidth?: Bandwidth;
}

/** Whether a store wants login and password: `optional` ones find credentials of their own when none are given. */
export type CredentialsUse = 'none' | 'optional' | 'required';

export interface BackendFactory {
  /** Without `://`. */
  readonly scheme: string;
  /** For messages and the manual, e.g. `local://<path>`. */
  readonly urlSyntax: string;
  readonly credentials: CredentialsUse;
  /** What login and password are called at this store; used by prompts. */
  readonly loginLabel?: string;
  readonly passwordLabel?: string;
  readonly options: Readonly<Record<string, BackendOptionSpec>>;
  /** The store costs the thread that uses it next to nothing, so it needs none of its own (for TLS, XML, JSON). */
  readonly inCallersThread?: boolean;
  /** The store's client moves each payload as a whole: limits of bandwidth can hold between requests only, and are kept for it. */
  readonly wholeTransfers?: boolean;
  /**
   * The canonical form of a storage URL of this scheme: what authinfo2 sections and cache directories go by.
   * @throws UserError with exit code 2 for a malformed URL
   */
  canonicalizeUrl(url: string): string;
  /** @throws NoSuchContainerError, AuthenticationError, PermissionError, HostNotFoundError, UserError */
  open(spec: OpenSpec): Promise<Backend>;
  /**
   * Removes what interrupted stores left behind and no listing shows; returns how many items. Only for fsck, while nobody else uses the
   * store.
   */
  cleanUp?(spec: BackendSpec): Promise<number>;
}
