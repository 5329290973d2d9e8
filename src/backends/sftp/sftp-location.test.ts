import { expect, test } from 'vitest';
import { BackendError } from '../errors.ts';
import { canonicalSftpUrl, parseSftpUrl } from './sftp-location.ts';
import { sshError } from './ssh-errors.ts';

test.for([
  ['sftp://host/srv/backup', { user: undefined, host: 'host', port: undefined, directory: '/srv/backup/' }],
  ['sftp://anna@host:2222/srv//', { user: 'anna', host: 'host', port: 2222, directory: '/srv/' }],
  ['sftp://host/~/backup', { user: undefined, host: 'host', port: undefined, directory: 'backup/' }],
  ['sftp://host/~/', { user: undefined, host: 'host', port: undefined, directory: './' }],
  ['sftp://host/', { user: undefined, host: 'host', port: undefined, directory: '/' }],
  ['sftp://[fe80::1%eth0]:22/x', { user: undefined, host: 'fe80::1%eth0', port: 22, directory: '/x/' }],
] as const)('%s is understood', ([url, location]) => {
  expect(parseSftpUrl(url)).toEqual(location);
});

test.for(['sftp://', 'sftp://host', 'sftp:///path', 'sftp://-oProxyCommand=evil/x', 'sftp://-l@host/x', 'sftp://host:port/x'])(
  '%s is refused with exit code 2',
  (url) => {
    expect(() => parseSftpUrl(url)).toThrow(expect.objectContaining({ exitCode: 2 }));
  },
);

test('the canonical form ends with one slash', () => {
  expect(['sftp://host/a', 'sftp://host/a/', 'sftp://host/a//'].map(canonicalSftpUrl)).toEqual(
    Array.from({ length: 3 }, () => 'sftp://host/a/'),
  );
});

test.for([
  ['anna@host: Permission denied (publickey,password).', 'AuthenticationError', 'backend-password'],
  [
    'No ED25519 host key is known for host and you have requested strict checking.\r\nHost key verification failed.',
    'MisconfigurationError',
    'ssh host',
  ],
  ['@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.', 'MisconfigurationError', 'ssh-keygen -R host'],
  ['ssh: Could not resolve hostname host: Name or service not known', 'HostNotFoundError', 'storage URL'],
  ['subsystem request failed on channel 0', 'MisconfigurationError', 'no SFTP'],
  ['ssh: connect to host host port 22: Connection refused', 'BackendError', 'Connection refused'],
  ['', 'BackendError', 'without a word'],
] as const)('what ssh says, "%s", is a %s', ([said, name, words]) => {
  const error = sshError(said, 'host');
  expect(error).toBeInstanceOf(BackendError);
  expect(error).toMatchObject({ name, message: expect.stringContaining(words) as string });
});
