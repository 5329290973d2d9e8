/** WebDAV servers on loopback that are not ours: Apache with mod_dav, and `rclone serve webdav`. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { installDebianPackages } from '../debian-packages.ts';
import { ChildServer, freePorts } from './child-server.ts';

export const WEBDAV_USER = 'dav user';
export const WEBDAV_PASSWORD = 'webdav: pässw0rd of the tests';

export interface WebdavServer extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly host: string;
  /** What the server shows at `path`. */
  readonly directory: string;
  /** With a slash at the end. */
  readonly path: string;
  /** Makes a directory that the server may write to and knows of, and gives its path. */
  newDirectory(): Promise<string>;
}

/** Apache refuses to serve as root. */
const WORKER = 'www-data';

/** @param login how users prove who they are */
export async function startApache(login: 'basic' | 'digest'): Promise<WebdavServer> {
  installDebianPackages('apache2', 'apache2-utils');
  const root = mkdtempSync(join(tmpdir(), 's3ql-apache-'));
  const directory = join(root, 'files');
  mkdirSync(directory);
  const [port = 0] = await freePorts(1);
  writeUsers(root, login);
  writeFileSync(join(root, 'apache.conf'), apacheConfig(root, directory, port, login));
  return serve(root, directory, port, '/dav/', 'apache2', ['-D', 'FOREGROUND', '-f', join(root, 'apache.conf')]);
}

/** @param look whether it looks at the disk each time, which makes it slow; its usual way is every five minutes */
export async function startRclone(look: 'always' | 'seldom'): Promise<WebdavServer> {
  installDebianPackages('rclone');
  const root = mkdtempSync(join(tmpdir(), 's3ql-rclone-'));
  const directory = join(root, 'files');
  mkdirSync(directory);
  const [port = 0] = await freePorts(1);
  // Not in its arguments: tests look for the password in the list of processes.
  const login = { RCLONE_USER: WEBDAV_USER, RCLONE_PASS: WEBDAV_PASSWORD };
  const cache = look === 'always' ? ['--dir-cache-time', '0s'] : [];
  const args = ['serve', 'webdav', directory, '--addr', `127.0.0.1:${port}`, '--config', join(root, 'none.conf'), ...cache];
  const server = await serve(root, directory, port, '/', 'rclone', args, login);
  let directories = 0;
  const newDirectory = async (): Promise<string> => {
    directories += 1;
    const authorization = `Basic ${Buffer.from(`${WEBDAV_USER}:${WEBDAV_PASSWORD}`).toString('base64')}`;
    const response = await fetch(`http://${server.host}/store-${directories}/`, { method: 'MKCOL', headers: { authorization } });
    if (response.status !== 201) throw new Error(`MKCOL: HTTP ${response.status}`);
    return join(directory, `store-${directories}`);
  };
  return look === 'always' ? server : { ...server, newDirectory };
}

async function serve(
  root: string,
  directory: string,
  port: number,
  path: string,
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<WebdavServer> {
  try {
    giveToWorker(root);
    const child = await ChildServer.start(command, args, { port, env: environment });
    return {
      host: `127.0.0.1:${port}`,
      directory,
      path,
      async newDirectory() {
        const made = mkdtempSync(join(directory, 'store é-'));
        giveToWorker(made);
        return made;
      },
      async [Symbol.asyncDispose]() {
        await child[Symbol.asyncDispose]();
        rmSync(root, { recursive: true });
      },
    };
  } catch (error) {
    rmSync(root, { recursive: true });
    throw error;
  }
}

function giveToWorker(directory: string): void {
  if (userInfo().uid === 0) execFileSync('chown', ['-R', `${WORKER}:${WORKER}`, directory], { timeout: 30_000 });
}

function writeUsers(root: string, login: 'basic' | 'digest'): void {
  const file = join(root, 'users');
  if (login === 'basic') {
    execFileSync('htpasswd', ['-ciB', file, WEBDAV_USER], { input: WEBDAV_PASSWORD, stdio: ['pipe', 'ignore', 'pipe'], timeout: 30_000 });
  } else {
    // It asks twice, on standard input if there is no terminal.
    execFileSync('setsid', ['-w', 'htdigest', '-c', file, 'the store', WEBDAV_USER], {
      input: `${WEBDAV_PASSWORD}\n${WEBDAV_PASSWORD}\n`,
      stdio: ['pipe', 'ignore', 'pipe'],
      timeout: 30_000,
    });
  }
}

function apacheConfig(root: string, directory: string, port: number, login: 'basic' | 'digest'): string {
  const modules = [
    'mpm_event',
    'dav',
    'dav_fs',
    'auth_basic',
    'auth_digest',
    'authn_core',
    'authn_file',
    'authz_core',
    'authz_user',
    'alias',
  ];
  const auth =
    login === 'basic'
      ? `AuthType Basic\nAuthBasicProvider file`
      : // Nonces that expire after two seconds show that they are renewed.
        `AuthType Digest\nAuthDigestProvider file\nAuthDigestNonceLifetime 2`;
  return `${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
ServerRoot ${root}
ServerName 127.0.0.1
Listen 127.0.0.1:${port}
PidFile ${join(root, 'pid')}
ErrorLog ${join(root, 'error.log')}
DefaultRuntimeDir ${root}
DavLockDB ${join(root, 'locks')}
StartServers 1
ServerLimit 4
ThreadsPerChild 25
MaxRequestWorkers 100
${userInfo().uid === 0 ? `User ${WORKER}\nGroup ${WORKER}` : ''}
DocumentRoot ${directory}
Alias /dav/ ${directory}/
<Directory ${directory}>
Dav on
${auth}
AuthName "the store"
AuthUserFile ${join(root, 'users')}
Require valid-user
</Directory>
`;
}
