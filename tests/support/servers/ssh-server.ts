/** OpenSSH's server on a loopback port, with keys of its own; logins as the user that runs the tests. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { installDebianPackages } from '../debian-packages.ts';
import { ChildServer, freePorts } from './child-server.ts';

export class SshServer implements AsyncDisposable {
  readonly port: number;
  readonly user: string = userInfo().username;
  readonly #directory: string;
  #process: ChildServer | undefined;

  private constructor(port: number, directory: string) {
    this.port = port;
    this.#directory = directory;
  }

  static async start(): Promise<SshServer> {
    installDebianPackages('openssh-server', 'openssh-sftp-server', 'openssh-client');
    const directory = mkdtempSync(join(tmpdir(), 's3ql-sshd-'));
    const [port = 0] = await freePorts(1);
    const server = new SshServer(port, directory);
    try {
      // Where sshd, as root, goes to drop its privileges; made by the service that we do not start.
      if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
      for (const name of ['host-key', 'user-key', 'other-key']) server.#makeKey(name);
      writeFileSync(join(directory, 'authorized_keys'), readFileSync(join(directory, 'user-key.pub')));
      server.writeKnownHosts('known_hosts', 'host-key');
      await server.run();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** @param name user-key, other-key (which the server does not know), known_hosts */
  file(name: string): string {
    return join(this.#directory, name);
  }

  /** Starts the server process, again if it was stopped. @param more lines of its configuration */
  async run(more: string = ''): Promise<void> {
    writeFileSync(this.file('sshd_config'), `${this.#config()}${more}\n`);
    // sshd wants to be called by its full path.
    this.#process = await ChildServer.start('/usr/sbin/sshd', ['-D', '-e', '-f', this.file('sshd_config')], { port: this.port });
  }

  /** Ends the server and all sessions, which are processes of their own. */
  async stop(): Promise<void> {
    const pid = this.#process?.pid;
    for (const session of pid === undefined ? [] : childrenOf(pid)) kill(session);
    await this.#process?.[Symbol.asyncDispose]();
    this.#process = undefined;
  }

  /** Writes a file in which our address has this key. */
  writeKnownHosts(name: string, key: string): void {
    const publicKey = readFileSync(this.file(`${key}.pub`), 'utf8')
      .split(' ')
      .slice(0, 2)
      .join(' ');
    writeFileSync(this.file(name), `[127.0.0.1]:${this.port} ${publicKey}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.#directory, { recursive: true });
  }

  #makeKey(name: string): void {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', this.file(name)], { timeout: 30_000 });
  }

  #config(): string {
    return `ListenAddress 127.0.0.1
Port ${this.port}
HostKey ${this.file('host-key')}
AuthorizedKeysFile ${this.file('authorized_keys')}
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
MaxStartups 100
Subsystem sftp internal-sftp
`;
  }
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

/** Unless it has just ended by itself. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
