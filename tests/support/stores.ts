/** A store of every kind, each with the server it needs, as the commands are pointed at them. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { installDebianPackages } from './debian-packages.ts';
import type { StoreAddress } from './mounted-file-system.ts';
import { AzuriteServer } from './servers/azurite-server.ts';
import { ForwardProxy } from './servers/forward-proxy.ts';
import { GS_BUCKET, GsServer, startTokenServer } from './servers/gs-server.ts';
import { KEYSTONE_PROJECT, KEYSTONE_REGION, KEYSTONE_USER, startKeystoneDouble } from './servers/keystone-double.ts';
import { LoopbackServer } from './servers/loopback-server.ts';
import { S3Server, TEST_ACCOUNT, type S3ServerOptions } from './servers/s3-server.ts';
import { SshServer } from './servers/ssh-server.ts';
import { SWIFT_KEY, SWIFT_USER, SwiftServer } from './servers/swift-server.ts';
import { TestAuthority } from './servers/test-certificates.ts';
import { startApache, startRclone, WEBDAV_PASSWORD, WEBDAV_USER, type WebdavServer } from './servers/webdav-servers.ts';

export interface TestStore extends StoreAddress, AsyncDisposable {}

/** By name; each starts a server and makes an empty store there. */
export const testStores: readonly (readonly [string, () => Promise<TestStore>])[] = [
  ['local://', startLocal],
  ['local:// on sshfs', startSshfs],
  ['s3://', startAmazon],
  ['s3c://', () => startS3('s3c', { signatureVersion: 2, lacks: ['list-v2', 'delete-many', 'conditional-put'] })],
  ['s3c4://', () => startS3('s3c4', {})],
  ['s3c4:// at Swift', startSwiftS3],
  ['b2://', startBackblaze],
  ['gs://', startGoogle],
  ['swift://', startSwift],
  ['swiftks://', startKeystone],
  ['rackspace://', startRackspace],
  ['azure://', startAzure],
  ['sftp://', startSftp],
  ['webdav:// at Apache', () => startWebdav(() => startApache('digest'))],
  ['webdav:// at rclone', () => startWebdav(() => startRclone('seldom'))],
];

/** The address with a way to end what was started for it, in the order given. */
function testStore(address: StoreAddress, ...started: readonly (AsyncDisposable | Disposable)[]): TestStore {
  return {
    ...address,
    async [Symbol.asyncDispose]() {
      for (const item of started) await (Symbol.asyncDispose in item ? item[Symbol.asyncDispose]() : item[Symbol.dispose]());
    },
  };
}

function temporaryDirectory(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 's3ql-store-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

async function startLocal(): Promise<TestStore> {
  const directory = temporaryDirectory();
  return testStore({ url: `local://${directory.path}` }, directory);
}

export async function startSshfs(): Promise<TestStore> {
  installDebianPackages('sshfs');
  const server = await SshServer.start();
  const directory = temporaryDirectory();
  const [remote, mountpoint] = ['remote', 'mountpoint'].map((name) => join(directory.path, name)) as [string, string];
  for (const path of [remote, mountpoint]) mkdirSync(path);
  const options = [
    `port=${server.port}`,
    `IdentityFile=${server.file('user-key')}`,
    `UserKnownHostsFile=${server.file('known_hosts')}`,
    'dir_cache=no',
    'entry_timeout=0',
    'attr_timeout=0',
  ];
  execFileSync('sshfs', [`${server.user}@127.0.0.1:${remote}`, mountpoint, ...options.flatMap((option) => ['-o', option])], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 30_000,
  });
  const mounted = { [Symbol.dispose]: () => void execFileSync('fusermount3', ['-u', '-z', mountpoint], { timeout: 30_000 }) };
  return testStore({ url: `local://${mountpoint}` }, mounted, server, directory);
}

async function startS3(scheme: 's3c' | 's3c4', options: S3ServerOptions): Promise<TestStore> {
  const server = await S3Server.start(options);
  return testStore({ url: `${scheme}://${server.host}/bucket/prefix/`, ...s3Login(TEST_ACCOUNT), backendOptions: 'no-ssl' }, server);
}

/** By Amazon's names and TLS, by way of a proxy that leads them here. */
async function startAmazon(): Promise<TestStore> {
  const authority = new TestAuthority();
  const endpoint = 's3.eu-central-1.amazonaws.com';
  const server = await S3Server.start({
    region: 'eu-central-1',
    virtualHostSuffix: endpoint,
    certificate: authority.certificateFor([`*.${endpoint}`]),
  });
  const proxy = await ForwardProxy.start({ route: () => server.http.port });
  return testStore(
    { url: 's3://eu-central-1/bucket/prefix/', ...s3Login(TEST_ACCOUNT), ...throughProxy(proxy, authority) },
    proxy,
    server,
    authority,
  );
}

async function startBackblaze(): Promise<TestStore> {
  const authority = new TestAuthority();
  const certificate = authority.certificateFor(['*.backblazeb2.com', 's3.eu-central-003.backblazeb2.com']);
  const server = await S3Server.start({ region: 'eu-central-003', buckets: ['my-bucket'], certificate, lacks: ['conditional-put'] });
  const allowed = {
    buckets: [{ id: '1', name: 'my-bucket' }],
    capabilities: ['listBuckets', 'listFiles', 'readFiles', 'writeFiles', 'deleteFiles'],
  };
  const account = { apiInfo: { storageApi: { s3ApiUrl: 'https://s3.eu-central-003.backblazeb2.com', allowed } } };
  const api = await LoopbackServer.start(() => ({ status: 200, body: JSON.stringify(account) }), certificate);
  const proxy = await ForwardProxy.start({ route: (host) => (host.startsWith('api.') ? api.port : server.http.port) });
  return testStore(
    { url: 'b2://my-bucket/prefix/', ...s3Login(TEST_ACCOUNT), ...throughProxy(proxy, authority) },
    proxy,
    api,
    server,
    authority,
  );
}

async function startGoogle(): Promise<TestStore> {
  const authority = new TestAuthority();
  const directory = temporaryDirectory();
  const certificate = authority.certificateFor(['storage.googleapis.com', 'oauth2.googleapis.com']);
  const server = await GsServer.start(certificate);
  const client = { clientId: 'client-1.apps.googleusercontent.com', clientSecret: 'client-secret', refreshToken: '1//refresh-token' };
  const tokens = await startTokenServer({
    certificate,
    ...client,
    nextToken: () => {
      const token = `token-${server.tokens.size}`;
      server.tokens.add(token);
      return token;
    },
  });
  const clientFile = join(directory.path, 'client.json');
  const installed = { client_id: client.clientId, client_secret: client.clientSecret, token_uri: 'https://oauth2.googleapis.com/token' };
  writeFileSync(clientFile, JSON.stringify({ installed }));
  const proxy = await ForwardProxy.start({ route: (host) => (host.startsWith('storage.') ? server.http.port : tokens.port) });
  const { env, backendOptions } = throughProxy(proxy, authority);
  return testStore(
    {
      url: `gs://${GS_BUCKET}/prefix/`,
      login: 'oauth2',
      password: client.refreshToken,
      backendOptions: `${backendOptions},oauth-client=${clientFile}`,
      env,
    },
    proxy,
    tokens,
    server,
    directory,
    authority,
  );
}

async function startSwift(): Promise<TestStore> {
  const server = await SwiftServer.start();
  await server.createContainer('container');
  const url = `swift://${server.host}/container/prefix/`;
  return testStore({ url, login: SWIFT_USER, password: SWIFT_KEY, backendOptions: 'no-ssl,tcp-timeout=120' }, server);
}

async function startSwiftS3(): Promise<TestStore> {
  const server = await SwiftServer.start();
  await server.createContainer('bucket');
  const url = `s3c4://${server.host}/bucket/prefix/`;
  return testStore({ url, login: SWIFT_USER, password: SWIFT_KEY, backendOptions: 'no-ssl,tcp-timeout=120' }, server);
}

async function startKeystone(): Promise<TestStore> {
  const server = await SwiftServer.start();
  await server.createContainer('container');
  const keystone = await startKeystoneDouble({ swiftHost: server.host, versions: [3], swiftUser: SWIFT_USER, swiftKey: SWIFT_KEY });
  return testStore(
    {
      url: `swiftks://127.0.0.1:${keystone.port}/${KEYSTONE_REGION}:container/prefix/`,
      login: `${KEYSTONE_PROJECT.id}:${KEYSTONE_USER.name}`,
      password: KEYSTONE_USER.password,
      backendOptions: 'no-ssl,tcp-timeout=120,domain=default',
    },
    keystone,
    server,
  );
}

/** By the name of Rackspace's Keystone, version 2. */
async function startRackspace(): Promise<TestStore> {
  const authority = new TestAuthority();
  const server = await SwiftServer.start();
  await server.createContainer('container');
  const certificate = authority.certificateFor(['auth.api.rackspacecloud.com']);
  const keystone = await startKeystoneDouble({
    swiftHost: server.host,
    versions: [2],
    swiftUser: SWIFT_USER,
    swiftKey: SWIFT_KEY,
    certificate,
  });
  const proxy = await ForwardProxy.start({ route: () => keystone.port });
  const { env, backendOptions } = throughProxy(proxy, authority);
  return testStore(
    {
      url: `rackspace://${KEYSTONE_REGION}/container/prefix/`,
      login: KEYSTONE_USER.name,
      password: KEYSTONE_USER.password,
      backendOptions: `${backendOptions},tcp-timeout=120`,
      env,
    },
    proxy,
    keystone,
    server,
    authority,
  );
}

async function startAzure(): Promise<TestStore> {
  const server = await AzuriteServer.start();
  await server.createContainer('container');
  const url = `azure://${server.account}/container/prefix/`;
  return testStore({ url, login: 'key', password: server.key, backendOptions: `endpoint=${server.endpoint}` }, server);
}

async function startSftp(): Promise<TestStore> {
  const server = await SshServer.start();
  const directory = temporaryDirectory();
  const backendOptions = `identity-file=${server.file('user-key')},known-hosts=${server.file('known_hosts')}`;
  return testStore({ url: `sftp://${server.user}@127.0.0.1:${server.port}${directory.path}`, backendOptions }, server, directory);
}

async function startWebdav(start: () => Promise<WebdavServer>): Promise<TestStore> {
  const server = await start();
  const url = `webdav://${server.host}${server.path}${encodeURIComponent(basename(await server.newDirectory()))}`;
  return testStore({ url, login: WEBDAV_USER, password: WEBDAV_PASSWORD, backendOptions: 'no-ssl' }, server);
}

function s3Login({ accessKeyId, secretAccessKey }: typeof TEST_ACCOUNT): Pick<StoreAddress, 'login' | 'password'> {
  return { login: accessKeyId, password: secretAccessKey };
}

function throughProxy(proxy: ForwardProxy, authority: TestAuthority): { readonly backendOptions: string; readonly env: NodeJS.ProcessEnv } {
  return {
    backendOptions: `ssl-ca-path=${authority.certificatePath}`,
    env: { https_proxy: `http://127.0.0.1:${proxy.port}`, no_proxy: '', NO_PROXY: '' },
  };
}
