/**
 * Connections by the system's ssh, which brings all that its users have set up: agent, keys, known hosts, jump hosts, certificates. Its
 * standard input and output carry SFTP.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { UserError } from '../../util/errors.ts';
import type { Bandwidth } from '../bandwidth/bandwidth.ts';
import { BackendError, MisconfigurationError } from '../errors.ts';
import { SftpProtocolError } from './packets.ts';
import type { SftpLocation } from './sftp-location.ts';
import { SftpSession } from './sftp-session.ts';
import { sshError } from './ssh-errors.ts';

/** Prints $S3QL_SSH_PASSWORD; ssh asks it instead of a terminal. */
const ASKPASS = join(import.meta.dirname, '../../../bin/s3ql-ssh-askpass');
const MAX_STDERR_CHARS = 8000;
/** How many times the time-out may pass in silence within a session: the server may be waiting for its disk. */
const SILENCE_FACTOR = 3;
const WATCH_INTERVAL_MS = 1000;

export interface SshOptions {
  readonly location: SftpLocation;
  readonly password: string | undefined;
  readonly identityFile: string | undefined;
  readonly knownHosts: string | undefined;
  readonly configFile: string | undefined;
  readonly timeoutMs: number;
  readonly bandwidth: Bandwidth | undefined;
}

/** An SFTP session and the process that carries it. */
export interface SshConnection extends AsyncDisposable {
  readonly session: SftpSession;
}

/** @throws AuthenticationError, HostNotFoundError, MisconfigurationError, BackendError, UserError if there is no ssh */
export async function connectSsh(options: SshOptions): Promise<SshConnection> {
  const { timeoutMs } = options;
  const { host } = options.location;
  const child = spawn('ssh', sshArguments(options), {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Signals for us, as Ctrl-C at the terminal, are not for it.
    detached: true,
    env: sshEnvironment(options.password),
  });
  const { stdin, stdout, stderr } = child;
  const session = SftpSession.over(stdin, stdout, options.bandwidth);
  let said = '';
  stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-MAX_STDERR_CHARS);
  });
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  child.once('error', (cause) => {
    session.fail(new UserError(`Cannot run ssh: ${cause.message}. Install it (Debian: openssh-client).`, 2, { cause }));
    end();
  });
  // All that it said has been read by then.
  child.once('close', () => {
    session.fail(sshError(said, host));
    end();
  });
  const watch = setInterval(() => {
    if (!session.waiting || session.silenceMs < timeoutMs * SILENCE_FACTOR) return;
    session.fail(new BackendError(`${host} did not answer in time`, { temporary: true }));
    child.kill('SIGKILL');
  }, WATCH_INTERVAL_MS);
  watch.unref();
  const stop = async (): Promise<void> => {
    clearInterval(watch);
    child.kill('SIGTERM');
    await ended;
  };
  try {
    await session.handshake();
  } catch (error) {
    await stop();
    if (!(error instanceof SftpProtocolError)) throw error;
    throw new MisconfigurationError(`${host} answers something else than SFTP; does its shell print something at login?`, { cause: error });
  }
  return { session, [Symbol.asyncDispose]: stop };
}

function sshArguments(options: SshOptions): string[] {
  const { location, password, identityFile, knownHosts, configFile, timeoutMs } = options;
  const timeoutS = Math.ceil(timeoutMs / 1000);
  const settings = [
    'ClearAllForwardings=yes',
    'ControlPath=none',
    'EscapeChar=none',
    'LogLevel=ERROR',
    'PermitLocalCommand=no',
    `ConnectTimeout=${timeoutS}`,
    // Two of them unanswered: the time-out.
    `ServerAliveInterval=${Math.ceil(timeoutS / 2)}`,
    'ServerAliveCountMax=2',
    ...(password === undefined ? ['BatchMode=yes'] : passwordSettings(identityFile)),
    ...(identityFile === undefined ? [] : ['IdentitiesOnly=yes']),
    ...(knownHosts === undefined ? [] : [`UserKnownHostsFile=${quoted(knownHosts)}`, 'GlobalKnownHostsFile=none']),
  ];
  return [
    ...(configFile === undefined ? [] : ['-F', configFile]),
    '-T',
    '-x',
    '-a',
    ...settings.flatMap((setting) => ['-o', setting]),
    ...(identityFile === undefined ? [] : ['-i', identityFile]),
    ...(location.port === undefined ? [] : ['-p', String(location.port)]),
    ...(location.user === undefined ? [] : ['-l', location.user]),
    '-s',
    '--',
    location.host,
    'sftp',
  ];
}

/** One try with the password; with an identity file it may be the passphrase. The question about an unknown host key must not get it. */
function passwordSettings(identityFile: string | undefined): string[] {
  const methods = identityFile === undefined ? ['PreferredAuthentications=password,keyboard-interactive'] : [];
  return ['BatchMode=no', 'NumberOfPasswordPrompts=1', 'StrictHostKeyChecking=yes', ...methods];
}

/** ssh splits values of its options at spaces. */
function quoted(value: string): string {
  return `"${value.replaceAll(/["\\]/g, (char) => `\\${char}`)}"`;
}

function sshEnvironment(password: string | undefined): NodeJS.ProcessEnv {
  // Its messages are read by ssh-errors.ts.
  const environment = { ...process.env, LC_ALL: 'C' };
  if (password === undefined) return environment;
  return { ...environment, SSH_ASKPASS: ASKPASS, SSH_ASKPASS_REQUIRE: 'force', S3QL_SSH_PASSWORD: password };
}
