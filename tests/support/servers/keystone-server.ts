/** OpenStack's Keystone itself, from Debian's packages, on loopback with an SQLite database; and what Swift needs to believe in its tokens. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { installDebianPackages } from '../debian-packages.ts';
import { ChildServer, freePorts } from './child-server.ts';

const ADMIN_PASSWORD = 'admin-password';
const REGION = 'RegionOne';
const COMMAND_TIMEOUT_MS = 60_000;

export class KeystoneServer implements AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly region: string = REGION;
  readonly #directory: string;
  readonly #process: ChildServer;
  #token = '';

  private constructor(url: string, directory: string, process: ChildServer) {
    this.url = url;
    this.#directory = directory;
    this.#process = process;
  }

  static async start(): Promise<KeystoneServer> {
    installDebianPackages('python3-keystone', 'python3-keystonemiddleware');
    const directory = mkdtempSync(join(tmpdir(), 's3ql-keystone-'));
    try {
      const [port = 0] = await freePorts(1);
      const url = `http://127.0.0.1:${port}`;
      const config = join(directory, 'keystone.conf');
      writeFileSync(config, keystoneConfig(directory));
      const manage = (...args: string[]): Promise<unknown> =>
        promisify(execFile)('keystone-manage', ['--config-file', config, ...args], { timeout: COMMAND_TIMEOUT_MS });
      await manage('db_sync');
      // Without it a reader of Keystone's own keeps its writer out.
      using database = new DatabaseSync(join(directory, 'keystone.db'));
      database.exec('PRAGMA journal_mode = WAL');
      await manage('fernet_setup', '--keystone-user', 'root', '--keystone-group', 'root');
      const urls = ['public', 'internal'].flatMap((kind) => [`--bootstrap-${kind}-url`, `${url}/v3`]);
      await manage('bootstrap', '--bootstrap-password', ADMIN_PASSWORD, ...urls, '--bootstrap-region-id', REGION);
      const env = { OS_KEYSTONE_CONFIG_FILES: config };
      const process = await ChildServer.start('keystone-wsgi-public', ['--port', String(port), '--host', '127.0.0.1'], { port, env });
      return new KeystoneServer(url, directory, process);
    } catch (error) {
      rmSync(directory, { recursive: true });
      throw error;
    }
  }

  /** What it wrote, for the search of mistakes. */
  get output(): string {
    return this.#process.output;
  }

  /** Filters for Swift's proxy. */
  get swiftFilters(): string {
    return `[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
www_authenticate_uri = ${this.url}
auth_url = ${this.url}
auth_type = password
project_domain_id = default
user_domain_id = default
project_name = admin
username = admin
password = ${ADMIN_PASSWORD}
delay_auth_decision = True
service_token_roles_required = True
cache = swift.cache
[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = admin, member
`;
  }

  /** Announces an object store and makes a user with a project of its own. */
  async addStoreAndUser(
    swiftHost: string,
    user: { readonly name: string; readonly password: string },
    project: string,
  ): Promise<{ projectId: string }> {
    const service = await this.#create('services', 'service', { name: 'swift', type: 'object-store' });
    const url = `http://${swiftHost}/v1/AUTH_%(project_id)s`;
    await this.#create('endpoints', 'endpoint', { service_id: service, interface: 'public', region_id: REGION, url });
    const projectId = await this.#create('projects', 'project', { name: project, domain_id: 'default' });
    const userId = await this.#create('users', 'user', { ...user, domain_id: 'default' });
    const roles = (await this.#call('GET', '/v3/roles?name=member')) as { roles: { id: string }[] };
    await this.#call('PUT', `/v3/projects/${projectId}/users/${userId}/roles/${roles.roles[0]?.id ?? ''}`);
    return { projectId };
  }

  /** A token for the user, and the account's URL. */
  async tokenFor(user: { readonly name: string; readonly password: string }, projectId: string): Promise<string> {
    const identity = { methods: ['password'], password: { user: { ...user, domain: { id: 'default' } } } };
    const body = JSON.stringify({ auth: { identity, scope: { project: { id: projectId } } } });
    const response = await fetch(`${this.url}/v3/auth/tokens`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return response.headers.get('x-subject-token') ?? '';
  }

  async #create(collection: string, kind: string, content: object): Promise<string> {
    const answer = (await this.#call('POST', `/v3/${collection}`, { [kind]: content })) as Record<string, { id: string }>;
    return answer[kind]?.id ?? '';
  }

  async #call(method: string, path: string, content?: object): Promise<unknown> {
    if (this.#token === '') this.#token = await this.#adminToken();
    const response = await fetch(this.url + path, {
      method,
      headers: { 'x-auth-token': this.#token, 'content-type': 'application/json' },
      ...(content === undefined ? {} : { body: JSON.stringify(content) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: HTTP ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  async #adminToken(): Promise<string> {
    const user = { name: 'admin', password: ADMIN_PASSWORD, domain: { id: 'default' } };
    const scope = { project: { name: 'admin', domain: { id: 'default' } } };
    const body = JSON.stringify({ auth: { identity: { methods: ['password'], password: { user } }, scope } });
    const response = await fetch(`${this.url}/v3/auth/tokens`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return response.headers.get('x-subject-token') ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    rmSync(this.#directory, { recursive: true });
  }
}

const keystoneConfig = (directory: string): string => `[DEFAULT]
use_stderr = true
[database]
connection = sqlite:///${directory}/keystone.db
[token]
provider = fernet
[fernet_tokens]
key_repository = ${directory}/fernet
[credential]
key_repository = ${directory}/credential
[cache]
enabled = false
[identity]
password_hash_rounds = 4
`;
