/** What logging in to a Swift store gives. */

export interface SwiftSession {
  readonly token: string;
  /** Origin of the account's URL, e.g. `https://swift.example.com:8080`. */
  readonly origin: string;
  /** Path of the account, e.g. `/v1/AUTH_test`. */
  readonly accountPath: string;
}

/** @throws AuthenticationError, MisconfigurationError, BackendError */
export type SwiftLogin = () => Promise<SwiftSession>;

/** @throws RangeError if the storage URL that a server gave is none */
export function swiftSession(token: string, storageUrl: string): SwiftSession {
  if (!URL.canParse(storageUrl)) throw new RangeError(`"${storageUrl}" is no URL`);
  const { origin, pathname } = new URL(storageUrl);
  return { token, origin, accountPath: pathname.replace(/\/+$/, '') };
}
