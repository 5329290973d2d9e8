/** Opens a store behind SSH. */
import type { Backend } from '../backend.ts';
import type { BackendSpec, OpenSpec } from '../backend-factory.ts';
import { BackendError, MisconfigurationError, NoSuchContainerError } from '../errors.ts';
import { firstContact } from '../first-contact.ts';
import { optionValue, timeoutMs } from '../http/http-options.ts';
import { SftpBackend } from './sftp-backend.ts';
import { isNoSuchFile, toBackendError } from './sftp-errors.ts';
import { cleanUpDirectory } from './clean-up-directory.ts';
import { parseSftpUrl } from './sftp-location.ts';
import { SftpPool } from './sftp-pool.ts';
import type { SftpSession } from './sftp-session.ts';
import { connectSsh, type SshConnection, type SshOptions } from './ssh-process.ts';

export async function openSftp(spec: OpenSpec): Promise<Backend> {
  const options = sshOptions(spec);
  const { host, directory: root } = options.location;
  const pool = new SftpPool(patientConnect(options), spec.maxConnections);
  try {
    const conditionalCreate = await firstContact(() => pool.use((session) => examine(session, root, host)));
    return new SftpBackend({ url: spec.url, host, pool, root, conditionalCreate });
  } catch (error) {
    await pool[Symbol.asyncDispose]();
    throw toBackendError(error, `use ${root}`, host);
  }
}

/** Removes what interrupted stores left behind. */
export async function cleanUpSftp(spec: BackendSpec): Promise<number> {
  const options = sshOptions(spec);
  const { host, directory } = options.location;
  await using connection = await firstContact(() => connectSsh(options));
  try {
    return await cleanUpDirectory(connection.session, directory);
  } catch (error) {
    throw toBackendError(error, `clean up ${directory}`, host);
  }
}

/** Whether the directory is there and the server can do what we need. @returns whether objects can be created conditionally */
async function examine(session: SftpSession, root: string, host: string): Promise<boolean> {
  try {
    if (!(await session.stat(root)).isDirectory) throw new NoSuchContainerError(`${root} at ${host} is no directory`);
  } catch (error) {
    if (!isNoSuchFile(error)) throw error;
    throw new NoSuchContainerError(`the directory ${root} does not exist at ${host}; create it first`, { cause: error });
  }
  if (!session.has('posix-rename@openssh.com')) {
    throw new MisconfigurationError(`the SFTP server at ${host} cannot replace files atomically (posix-rename@openssh.com); OpenSSH's can`);
  }
  return session.has('hardlink@openssh.com');
}

function sshOptions(spec: OpenSpec): SshOptions {
  const location = parseSftpUrl(spec.url);
  return {
    location: { ...location, user: location.user ?? spec.login },
    password: spec.password,
    identityFile: optionValue(spec, 'identity-file'),
    knownHosts: optionValue(spec, 'known-hosts'),
    configFile: optionValue(spec, 'ssh-config'),
    timeoutMs: timeoutMs(spec),
    bandwidth: spec.bandwidth,
  };
}

/** Connects; what worked once and fails now may work again. */
function patientConnect(options: SshOptions): () => Promise<SshConnection> {
  let worked = false;
  return async () => {
    try {
      const connection = await connectSsh(options);
      worked = true;
      return connection;
    } catch (error) {
      if (!worked || !(error instanceof BackendError) || error.temporary) throw error;
      throw new BackendError(`cannot connect again: ${error.message}`, { cause: error, temporary: true });
    }
  };
}
