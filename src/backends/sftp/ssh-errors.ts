/** What ssh says on standard error when it cannot connect, as errors of ours. */
import { AuthenticationError, BackendError, HostNotFoundError, MisconfigurationError } from '../errors.ts';

const MAX_SAID_CHARS = 300;

/** @param said what ssh wrote. @param host as the user named it */
export function sshError(said: string, host: string): BackendError {
  const lines = said.split(/\r?\n/).filter((line) => line.trim() !== '');
  const last = (lines.at(-1) ?? 'ssh ended without a word').slice(0, MAX_SAID_CHARS);
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED/.test(said)) {
    return new MisconfigurationError(
      `the host key of ${host} has changed; find out why, and only then remove the old one: ssh-keygen -R ${host}`,
    );
  }
  if (/Host key verification failed|No \S+ host key is known/.test(said)) {
    return new MisconfigurationError(`the host key of ${host} is not known yet; check and accept it once: ssh ${host}`);
  }
  if (/Permission denied|Too many authentication failures|No supported authentication methods/.test(said)) {
    return new AuthenticationError(`${host} does not accept the login; check user, key, agent or backend-password (${last})`);
  }
  if (/Could not resolve hostname/.test(said))
    return new HostNotFoundError(`the host name ${host} does not exist; check the storage URL (${last})`);
  if (/subsystem request failed|Received message too long/.test(said)) {
    return new MisconfigurationError(`${host} offers no SFTP, or its shell prints something at login (${last})`);
  }
  if (
    /Bad owner or permissions|no such identity|Can't open user config file|Bad configuration option|terminating, \d+ bad configuration/i.test(
      said,
    )
  ) {
    return new MisconfigurationError(`ssh does not like its configuration (${last})`);
  }
  return new BackendError(`connection to ${host} failed: ${last}`, { temporary: true });
}
