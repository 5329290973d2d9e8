/**
 * A store of every kind that this program knows, on loopback, each with one container that may be used: for tests of what must be the same
 * for all. Stores at fixed addresses are reached by a proxy that leads their names here.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { AzuriteServer } from './servers/azurite-server.ts';
import { ForwardProxy } from './servers/forward-proxy.ts';
import { GS_BUCKET, GsServer, startTokenServer } from './servers/gs-server.ts';
import { KEYSTONE_PROJECT, KEYSTONE_REGION, KEYSTONE_USER, startKeystoneDouble } from './servers/keystone-double.ts';
import { LoopbackServer } from './servers/loopback-server.ts';
import { startRelay } from './servers/relay-server.ts';
import { S3Server } from './servers/s3-server.ts';
import { SshServer } from './servers/ssh-server.ts';
import { SWIFT_KEY, SWIFT_USER, SwiftServer } from './servers/swift-server.ts';
import { TestAuthority } from './servers/test-certificates.ts';
import { startRclone, WEBDAV_PASSWORD, WEBDAV_USER } from './servers/webdav-servers.ts';

export interface StoreCase {
  readonly url: string;
  readonly login?: string;
  readonly password?: string;
  readonly options: string;
  /** Through which all requests for objects go, so that faults can be planned; undefined: no HTTP. */
  readonly server?: LoopbackServer;
}

const S3_ACCOUNT = { accessKeyId: 'AKIAGOOD', secretAccessKey: 'good/S3+secret=' };
/** May do nothing. */
export const DENIED_S3_ACCOUNT = { accessKeyId: 'AKIADENIED', secretAccessKey: 'denied/S3+secret=' };
export const EXPIRED_S3_ACCOUNT = { accessKeyId: 'AKIAEXPIRED', secretAccessKey: 'expired/S3+secret=', expired: true };
const ACCOUNTS = [S3_ACCOUNT, DENIED_S3_ACCOUNT, EXPIRED_S3_ACCOUNT];
const AWS_REGION = 'eu-central-1';
const AWS_ENDPOINT = `s3.${AWS_REGION}.amazonaws.com`;
const B2_ENDPOINT = 's3.eu-central-003.backblazeb2.com';
const OAUTH_CLIENT = { client_id: 'client-1', client_secret: 'GOCSPX-client-secret' };
const REFRESH_TOKEN = '1//refresh-token';

export class AllStores implements AsyncDisposable {
  readonly cases: Readonly<Record<string, StoreCase>>;
  /** With which every store can be reached. */
  readonly environment: Readonly<Record<string, string>>;
  /** Servers that tests change. */
  readonly s3: S3Server;
  readonly gs: GsServer;
  readonly swift: SwiftServer;
  readonly sshFile: (name: string) => string;
  /** `127.0.0.1:port` of a server that speaks TLS only. */
  readonly tlsHost: string;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    parts: Pick<AllStores, 'cases' | 'environment' | 's3' | 'gs' | 'swift' | 'sshFile' | 'tlsHost'>,
    resources: AsyncDisposableStack,
  ) {
    this.cases = parts.cases;
    this.environment = parts.environment;
    this.s3 = parts.s3;
    this.gs = parts.gs;
    this.swift = parts.swift;
    this.sshFile = parts.sshFile;
    this.tlsHost = parts.tlsHost;
    this.#resources = resources;
  }

  static async start(): Promise<AllStores> {
    await using resources = new AsyncDisposableStack();
    const directory = mkdtempSync(join(tmpdir(), 's3ql-stores-'));
    resources.defer(() => rmSync(directory, { recursive: true }));
    const authority = resources.use(new TestAuthority());
    const certificate = authority.certificateFor([
      AWS_ENDPOINT,
      `*.${AWS_ENDPOINT}`,
      'api.backblazeb2.com',
      B2_ENDPOINT,
      'storage.googleapis.com',
      'oauth2.googleapis.com',
      'auth.api.rackspacecloud.com',
      '127.0.0.1',
    ]);
    const use = async <T extends AsyncDisposable>(starting: Promise<T>): Promise<T> => resources.use(await starting);

    const [amazon, s3, s3v2, backblaze, gs, swift, azurite, webdav, ssh] = await Promise.all([
      use(S3Server.start({ accounts: ACCOUNTS, region: AWS_REGION, virtualHostSuffix: AWS_ENDPOINT, certificate })),
      use(S3Server.start({ accounts: ACCOUNTS })),
      use(S3Server.start({ accounts: ACCOUNTS, signatureVersion: 2 })),
      use(S3Server.start({ accounts: ACCOUNTS, region: 'eu-central-003', buckets: ['my-bucket'], certificate })),
      use(GsServer.start(certificate)),
      use(SwiftServer.start()),
      use(AzuriteServer.start()),
      use(startRclone('always')),
      use(SshServer.start()),
    ]);
    s3.denied.add(DENIED_S3_ACCOUNT.accessKeyId);
    await swift.createContainer('c');
    await azurite.createContainer('container');
    const swiftRelay = await use(startRelay(portOf(swift.host)));
    const azureRelay = await use(startRelay(Number(new URL(azurite.origin).port)));
    const webdavRelay = await use(startRelay(portOf(webdav.host)));
    const keystone = { swiftHost: hostOf(swiftRelay), versions: [2, 3] as const, swiftUser: SWIFT_USER, swiftKey: SWIFT_KEY };
    const identity = await use(startKeystoneDouble(keystone));
    const rackspace = await use(startKeystoneDouble({ ...keystone, certificate }));
    const b2Api = await use(LoopbackServer.start(authorizeB2, certificate));
    let tokens = 0;
    const googleTokens = await use(
      startTokenServer({
        certificate,
        clientId: OAUTH_CLIENT.client_id,
        clientSecret: OAUTH_CLIENT.client_secret,
        refreshToken: REFRESH_TOKEN,
        nextToken() {
          tokens += 1;
          gs.tokens.add(`ya29.access-token-${tokens}`);
          return `ya29.access-token-${tokens}`;
        },
      }),
    );
    const clientFile = join(directory, 'oauth-client.json');
    writeFileSync(clientFile, JSON.stringify({ installed: OAUTH_CLIENT }));
    const routes = new Map([
      ['api.backblazeb2.com', b2Api.port],
      [B2_ENDPOINT, backblaze.http.port],
      ['storage.googleapis.com', gs.http.port],
      ['oauth2.googleapis.com', googleTokens.port],
      ['auth.api.rackspacecloud.com', rackspace.port],
    ]);
    const route = (host: string): number | undefined => (host.endsWith('.amazonaws.com') ? amazon.http.port : routes.get(host));
    const proxy = await use(ForwardProxy.start({ route, credentials: 'proxy-user:proxy-Passw0rd' }));
    mkdirSync(join(directory, 'local'));
    mkdirSync(join(directory, 'sftp'));

    const s3Login = { login: S3_ACCOUNT.accessKeyId, password: S3_ACCOUNT.secretAccessKey };
    const keystoneLogin = { login: `${KEYSTONE_PROJECT.name}:${KEYSTONE_USER.name}`, password: KEYSTONE_USER.password };
    const swiftLogin = { login: SWIFT_USER, password: SWIFT_KEY };
    const identityFile = `identity-file=${ssh.file('user-key')},known-hosts=${ssh.file('known_hosts')}`;
    const cases: Record<string, StoreCase> = {
      local: { url: `local://${join(directory, 'local')}`, options: '' },
      s3: { url: `s3://${AWS_REGION}/bucket/p/`, ...s3Login, options: 'tcp-timeout=5', server: amazon.http },
      s3c: { url: `s3c://${s3v2.host}/bucket/p/`, ...s3Login, options: 'no-ssl,tcp-timeout=5', server: s3v2.http },
      s3c4: { url: `s3c4://${s3.host}/bucket/p/`, ...s3Login, options: 'no-ssl,tcp-timeout=5', server: s3.http },
      b2: { url: 'b2://my-bucket/p/', ...s3Login, options: 'tcp-timeout=5', server: backblaze.http },
      gs: {
        url: `gs://${GS_BUCKET}/p/`,
        login: 'oauth2',
        password: REFRESH_TOKEN,
        options: `tcp-timeout=5,oauth-client=${clientFile}`,
        server: gs.http,
      },
      swift: { url: `swift://${hostOf(swiftRelay)}/c/p/`, ...swiftLogin, options: 'no-ssl,tcp-timeout=5', server: swiftRelay },
      swiftks: {
        url: `swiftks://${hostOf(identity)}/${KEYSTONE_REGION}:c/p/`,
        ...keystoneLogin,
        options: 'no-ssl,tcp-timeout=5',
        server: swiftRelay,
      },
      rackspace: { url: `rackspace://${KEYSTONE_REGION}/c/p/`, ...keystoneLogin, options: 'tcp-timeout=5', server: swiftRelay },
      azure: {
        url: `azure://${azurite.account}/container/p/`,
        login: 'key',
        password: azurite.key,
        options: `tcp-timeout=5,endpoint=${azureRelay.origin}/${azurite.account}`,
        server: azureRelay,
      },
      webdav: {
        url: `webdav://${hostOf(webdavRelay)}/${basename(await webdav.newDirectory())}`,
        login: WEBDAV_USER,
        password: WEBDAV_PASSWORD,
        options: 'no-ssl,tcp-timeout=5',
        server: webdavRelay,
      },
      sftp: { url: `sftp://${ssh.user}@127.0.0.1:${ssh.port}${join(directory, 'sftp')}`, options: identityFile },
    };
    const environment = {
      https_proxy: `http://proxy-user:proxy-Passw0rd@127.0.0.1:${proxy.port}`,
      no_proxy: '127.0.0.1',
      SSL_CERT_FILE: authority.certificatePath,
    };
    return new AllStores({ cases, environment, s3, gs, swift, sshFile: (name) => ssh.file(name), tlsHost: amazon.host }, resources.move());
  }

  /** Forgets requests and planned faults. */
  reset(): void {
    for (const { server } of Object.values(this.cases)) server?.reset();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync();
  }
}

function authorizeB2({ headers }: { readonly headers: { readonly authorization?: string | undefined } }): { status: number; body: string } {
  const expected = `Basic ${Buffer.from(`${S3_ACCOUNT.accessKeyId}:${S3_ACCOUNT.secretAccessKey}`).toString('base64')}`;
  if (headers.authorization !== expected) return { status: 401, body: '{"code":"unauthorized","status":401}' };
  const capabilities = ['listBuckets', 'listFiles', 'readFiles', 'writeFiles', 'deleteFiles'];
  const storageApi = { s3ApiUrl: `https://${B2_ENDPOINT}`, allowed: { buckets: null, capabilities } };
  return { status: 200, body: JSON.stringify({ apiInfo: { storageApi } }) };
}

function hostOf(server: LoopbackServer): string {
  return `127.0.0.1:${server.port}`;
}

function portOf(host: string): number {
  return Number(host.split(':')[1]);
}
