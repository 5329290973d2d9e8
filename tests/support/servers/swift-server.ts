/**
 * A real OpenStack Swift from Debian's packages, as five processes on loopback: memcached, one server each for accounts, containers and
 * objects, and the proxy with tempauth and the S3 interface.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installDebianPackages } from '../debian-packages.ts';
import { ChildServer, freePorts } from './child-server.ts';

const AS_NOBODY = ['--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups', '--pdeathsig', 'TERM'];
const KINDS = ['account', 'container', 'object'] as const;

export const SWIFT_USER = 'test:tester';
/** No word that another process of the machine could have among its arguments: tests look for it there. */
export const SWIFT_KEY = 'swift-k3y-of-the-tests';

export interface SwiftServerOptions {
  /** More sections of the proxy's configuration: filters of other ways to log in. */
  readonly filters?: string;
  /** The names of the filters that log in, in order. Default: s3api tempauth */
  readonly auth?: string;
}

export class SwiftServer implements AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly host: string;
  readonly #directory: string;
  readonly #processes: readonly ChildServer[];
  #token: { readonly token: string; readonly storageUrl: string } | undefined;

  private constructor(host: string, directory: string, processes: readonly ChildServer[]) {
    this.host = host;
    this.#directory = directory;
    this.#processes = processes;
  }

  static async start(options: SwiftServerOptions = {}): Promise<SwiftServer> {
    installDebianPackages('swift-proxy', 'swift-account', 'swift-container', 'swift-object', 'memcached');
    const directory = mkdtempSync(join(tmpdir(), 's3ql-swift-'));
    const processes: ChildServer[] = [];
    try {
      const [proxyPort = 0, cachePort = 0, ...ports] = await freePorts(2 + KINDS.length);
      mkdirSync(join(directory, 'devices', 'd1'), { recursive: true });
      makeRings(directory, ports);
      for (const [index, kind] of KINDS.entries())
        writeFileSync(join(directory, `${kind}.conf`), storageConfig(directory, kind, ports[index] ?? 0));
      writeFileSync(join(directory, 'proxy.conf'), proxyConfig(directory, proxyPort, cachePort, options));
      const start = async (command: string, args: readonly string[], port: number): Promise<void> => {
        processes.push(await ChildServer.start(command, args, { port, cwd: directory }));
      };
      await Promise.all([
        // As root it wants to change its user itself, and would outlive us after that.
        start('setpriv', [...AS_NOBODY, 'memcached', '-l', '127.0.0.1', '-p', String(cachePort)], cachePort),
        ...KINDS.map((kind, index) => start(`swift-${kind}-server`, [`${kind}.conf`], ports[index] ?? 0)),
        start('swift-proxy-server', ['proxy.conf', '-v'], proxyPort),
      ]);
      return new SwiftServer(`127.0.0.1:${proxyPort}`, directory, processes);
    } catch (error) {
      await Promise.all(processes.map((process) => process[Symbol.asyncDispose]()));
      rmSync(directory, { recursive: true });
      throw error;
    }
  }

  /** What the processes wrote, for the search of mistakes. */
  get output(): string {
    return this.#processes.map((process) => process.output).join('\n');
  }

  /** As the test account. */
  async createContainer(name: string): Promise<void> {
    await this.request('PUT', `/${name}`);
  }

  /** Names of all objects of a container. */
  async objects(container: string): Promise<string[]> {
    const text = await this.request('GET', `/${container}`);
    return text.split('\n').filter((name) => name !== '');
  }

  /** A plain request to the test account. @throws Error unless it succeeds */
  async request(method: string, path: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    this.#token ??= await this.#logIn();
    const { token, storageUrl } = this.#token;
    const response = await fetch(storageUrl + path, { method, headers: { ...headers, 'x-auth-token': token } });
    if (!response.ok) throw new Error(`${method} ${path}: HTTP ${response.status}`);
    return response.text();
  }

  async #logIn(): Promise<{ readonly token: string; readonly storageUrl: string }> {
    const response = await fetch(`http://${this.host}/auth/v1.0`, { headers: { 'x-auth-user': SWIFT_USER, 'x-auth-key': SWIFT_KEY } });
    return { token: response.headers.get('x-auth-token') ?? '', storageUrl: response.headers.get('x-storage-url') ?? '' };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((process) => process[Symbol.asyncDispose]()));
    rmSync(this.#directory, { recursive: true });
  }
}

/** Which server has what: all of it the only one. */
function makeRings(directory: string, ports: readonly number[]): void {
  const script = `
import sys
from swift.common.ring import RingBuilder
for name, port in zip(sys.argv[1::2], sys.argv[2::2]):
    builder = RingBuilder(2, 1, 0)
    builder.add_dev({'region': 1, 'zone': 1, 'ip': '127.0.0.1', 'port': int(port), 'device': 'd1', 'weight': 1.0,
                     'replication_ip': '127.0.0.1', 'replication_port': int(port)})
    builder.rebalance()
    builder.get_ring().save(name + '.ring.gz')
`;
  const args = KINDS.flatMap((kind, index) => [kind, String(ports[index])]);
  // Debian's own Python has Swift.
  execFileSync('/usr/bin/python3', ['-c', script, ...args], { cwd: directory, timeout: 60_000 });
}

const common = (directory: string, port: number): string => `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
swift_dir = ${directory}
user = root
workers = 0
log_level = ERROR
`;

const storageConfig = (directory: string, kind: string, port: number): string => `${common(directory, port)}devices = ${directory}/devices
mount_check = false
[pipeline:main]
pipeline = ${kind}-server
[app:${kind}-server]
use = egg:swift#${kind}
`;

const proxyConfig = (
  directory: string,
  port: number,
  cachePort: number,
  { filters = '', auth = 's3api tempauth' }: SwiftServerOptions,
): string => `${common(directory, port)}
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache bulk ${auth} slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:${cachePort}
# Tokens are in there: on a busy machine its usual 0.3 seconds would make them invalid, for a minute.
connect_timeout = 60
pool_timeout = 60
io_timeout = 60
error_suppression_interval = 0
error_suppression_limit = 1000000
[filter:bulk]
use = egg:swift#bulk
delete_container_retry_count = 0
[filter:s3api]
use = egg:swift#s3api
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = ${SWIFT_KEY} .admin
user_test_reader = reading
${filters}
`;
