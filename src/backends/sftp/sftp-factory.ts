/** What stores behind SSH declare about themselves. The client is loaded when a store is opened. */
import type { BackendFactory } from '../backend-factory.ts';
import { canonicalSftpUrl } from './sftp-location.ts';

export const sftpFactory: BackendFactory = {
  scheme: 'sftp',
  urlSyntax: 'sftp://[<user>@]<host>[:<port>]/<path>',
  credentials: 'optional',
  loginLabel: 'user',
  passwordLabel: 'password',
  options: {
    'identity-file': {
      takesValue: true,
      description: 'The private key to log in with; without it those of the agent and of ssh’s configuration.',
    },
    'known-hosts': { takesValue: true, description: 'The file of known host keys instead of ssh’s own.' },
    'ssh-config': { takesValue: true, description: 'The configuration file for ssh instead of its usual ones.' },
    'tcp-timeout': { takesValue: true, description: 'Give up a connection after so many seconds of silence (20).' },
  },
  canonicalizeUrl: canonicalSftpUrl,
  async open(spec) {
    const { openSftp } = await import('./open-sftp.ts');
    return openSftp(spec);
  },
  async cleanUp(spec) {
    const { cleanUpSftp } = await import('./open-sftp.ts');
    return cleanUpSftp(spec);
  },
};
