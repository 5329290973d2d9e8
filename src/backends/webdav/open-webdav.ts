/** Opens a collection of a WebDAV server. */
import type { Backend } from '../backend.ts';
import type { BackendSpec, OpenSpec } from '../backend-factory.ts';
import { MisconfigurationError, NoSuchContainerError } from '../errors.ts';
import { firstContact } from '../first-contact.ts';
import { openHttpClient } from '../http/http-options.ts';
import { cleanUpCollection } from './clean-up-collection.ts';
import { HttpLogin } from './http-login.ts';
import { WebdavBackend } from './webdav-backend.ts';
import { WebdavConnection } from './webdav-connection.ts';
import { parseWebdavUrl, type WebdavLocation } from './webdav-location.ts';

export async function openWebdav(spec: OpenSpec): Promise<Backend> {
  const { connection, location } = connect(spec);
  try {
    await firstContact(() => expectCollection(connection, location.path));
    return new WebdavBackend({ url: spec.url, connection, root: location.path, maxConnections: spec.maxConnections });
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** Ends what interrupted stores began. */
export async function cleanUpWebdav(spec: BackendSpec): Promise<number> {
  const { connection, location } = connect(spec);
  try {
    await firstContact(() => expectCollection(connection, location.path));
    return await cleanUpCollection(connection, location.path);
  } finally {
    await connection.close();
  }
}

function connect(spec: OpenSpec): { readonly connection: WebdavConnection; readonly location: WebdavLocation } {
  const location = parseWebdavUrl(spec.url, spec.options['no-ssl'] !== true);
  const login = spec.login === undefined ? undefined : new HttpLogin(spec.login, spec.password ?? '');
  return { connection: new WebdavConnection(location.origin, openHttpClient(spec), login), location };
}

async function expectCollection(connection: WebdavConnection, path: string): Promise<void> {
  const found = await connection.look(path);
  if (found === undefined) throw new NoSuchContainerError(`${path} does not exist at ${connection.host}; create it first`);
  if (!found.isCollection) throw new MisconfigurationError(`${path} at ${connection.host} is no collection`);
}
