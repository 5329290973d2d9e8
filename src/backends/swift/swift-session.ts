/** What logging in to a Swift store gives. */
import { MisconfigurationError } from '../errors.ts';

export interface SwiftSession {
  readonly token: string;
  /** Origin of the account's URL, e.g. `https://swift.example.com:8080`. */
  readonly origin: string;
  /** Path of the account, e.g. `/v1/AUTH_test`. */
  readonly accountPath: string;
}

/** @throws AuthenticationError, MisconfigurationError, BackendError */
export type SwiftLogin = () => Promise<SwiftSession>;

/** @throws MisconfigurationError if the storage URL that a server gave is none */
export function swiftSession(token: string, storageUrl: string): SwiftSession {
  if (!URL.canParse(storageUrl))
    throw new MisconfigurationError(`the login gives "${storageUrl}" as the address of the store, which is no URL`);
  const { origin, pathname } = new URL(storageUrl);
  return { token, origin, accountPath: pathname.replace(/\/+$/, '') };
}
