/** `azure://<account>/<container>[/<prefix>]`, and where that is. */
import { UserError } from '../../util/errors.ts';

const ACCOUNT = /^[a-z0-9]{3,24}$/;
/** `$root` is the container whose blobs need no container in their URL; it is addressed by name here. */
const CONTAINER = /^(?:\$root|(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9])$/;

export interface AzureLocation {
  readonly account: string;
  readonly container: string;
  /** Precedes every key. */
  readonly prefix: string;
}

/** @throws UserError with exit code 2 */
export function parseAzureUrl(url: string): AzureLocation {
  const [, account = '', container = '', prefix = ''] = /^azure:\/\/([^/]+)\/([^/]+)(?:\/(.*))?$/.exec(url) ?? [];
  if (!ACCOUNT.test(account)) {
    throw new UserError(
      `Invalid storage URL "${url}": it must look like azure://<account>/<container>/<prefix>; the name of a storage account has 3 to 24 lower-case letters and digits.`,
      2,
    );
  }
  if (!CONTAINER.test(container)) {
    throw new UserError(`Invalid container name "${container}": Azure allows 3 to 63 lower-case letters, digits and single "-".`, 2);
  }
  return { account, container, prefix };
}

/** Where the blob service of an account is. */
export interface AzureEndpoint {
  /** `https://host[:port]` */
  readonly origin: string;
  /** Precedes the container in paths: empty, or `/<account>` as emulators and some Azure Stacks have it. */
  readonly path: string;
}

/** @param endpoint the user's choice: another cloud, a custom domain, an emulator. @throws UserError with exit code 2 */
export function azureEndpoint({ account }: AzureLocation, endpoint: string | undefined): AzureEndpoint {
  const text = endpoint ?? `https://${account}.blob.core.windows.net`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '') {
    throw new UserError(
      `Backend option endpoint=${text} must be the URL of a blob service, e.g. https://${account}.blob.core.chinacloudapi.cn.`,
      2,
    );
  }
  return { origin: url.origin, path: url.pathname.replace(/\/+$/, '') };
}
