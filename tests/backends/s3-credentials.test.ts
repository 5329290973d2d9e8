import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { backendSpec, openBackend } from '../../src/backends/open-backend.ts';
import { withEnvironment } from '../support/environment.ts';
import { openingFailure } from '../support/opening-failure.ts';
import { ForwardProxy } from '../support/servers/forward-proxy.ts';
import { LoopbackServer, type Answer, type ServedRequest } from '../support/servers/loopback-server.ts';
import { S3Server } from '../support/servers/s3-server.ts';

/** Amazon's credential chain, with its sources on loopback or in files. */
const FIRST = { accessKeyId: 'ASIAFIRST', secretAccessKey: 'first-secret', sessionToken: 'first/token==' };
const SECOND = { accessKeyId: 'ASIASECOND', secretAccessKey: 'second-secret', sessionToken: 'second/token==' };
const LONG_LIVED = { accessKeyId: 'AKIALONG', secretAccessKey: 'long-secret' };

const NOTHING = {
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
  AWS_SESSION_TOKEN: undefined,
  AWS_PROFILE: undefined,
  AWS_CONTAINER_CREDENTIALS_FULL_URI: undefined,
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: undefined,
  AWS_WEB_IDENTITY_TOKEN_FILE: undefined,
  AWS_ROLE_ARN: undefined,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_REGION: 'us-east-1',
  http_proxy: undefined,
};

let server: S3Server;
let directory: string;
let clean: Disposable;

const open = (): Promise<Backend> => openBackend(backendSpec({ url: `s3c4://${server.host}/bucket/`, options: 'no-ssl' }));

async function storeAs(): Promise<string> {
  await using backend = await open();
  await backend.store('k', {}, [Buffer.from('x')]);
  const authorization = server.http.requests.at(-1)?.headers.authorization ?? '';
  return /Credential=(\w+)/.exec(authorization)?.[1] ?? '';
}

beforeEach(async () => {
  server = await S3Server.start({ accounts: [FIRST, SECOND, LONG_LIVED] });
  directory = mkdtempSync(join(tmpdir(), 's3ql-aws-'));
  clean = withEnvironment({
    ...NOTHING,
    AWS_CONFIG_FILE: join(directory, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(directory, 'credentials'),
  });
});

afterEach(async () => {
  clean[Symbol.dispose]();
  rmSync(directory, { recursive: true });
  await server[Symbol.asyncDispose]();
});

describe('without a login the credentials are those of', () => {
  test('the environment, with a session token', async () => {
    using _ = withEnvironment({
      AWS_ACCESS_KEY_ID: FIRST.accessKeyId,
      AWS_SECRET_ACCESS_KEY: FIRST.secretAccessKey,
      AWS_SESSION_TOKEN: FIRST.sessionToken,
    });
    expect(await storeAs()).toBe(FIRST.accessKeyId);
  });

  test('a profile of the shared configuration', async () => {
    const { accessKeyId, secretAccessKey } = LONG_LIVED;
    writeFileSync(
      join(directory, 'credentials'),
      `[backup]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
    );
    using _ = withEnvironment({ AWS_PROFILE: 'backup' });
    expect(await storeAs()).toBe(accessKeyId);
  });

  test('a command that a profile names', async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = FIRST;
    const answer = JSON.stringify({ Version: 1, AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken });
    writeFileSync(join(directory, 'answer.json'), answer);
    writeFileSync(join(directory, 'config'), `[default]\ncredential_process = cat ${join(directory, 'answer.json')}\n`);
    expect(await storeAs()).toBe(accessKeyId);
  });

  test('a container’s role, renewed when the store says that they have expired', async () => {
    let current = FIRST;
    const role = ({ headers }: ServedRequest): Answer => {
      if (headers.authorization !== 'role-token') return { status: 401 };
      const { accessKeyId, secretAccessKey, sessionToken } = current;
      const Expiration = new Date(Date.now() + 3_600_000).toISOString();
      return {
        status: 200,
        body: JSON.stringify({ AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: sessionToken, Expiration }),
      };
    };
    await using container = await LoopbackServer.start(role);
    using _ = withEnvironment({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${container.origin}/role`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 'role-token',
    });
    await using backend = await open();
    await backend.store('k', {}, []);
    server.accounts = [{ ...FIRST, expired: true }, SECOND];
    current = SECOND;
    await expect(backend.store('k', {}, [])).rejects.toMatchObject({ name: 'AuthenticationError', temporary: true });
    await backend.store('k', {}, []);
    expect(server.http.requests.at(-1)?.headers.authorization).toContain(SECOND.accessKeyId);
  });

  test('the role of an instance', async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = FIRST;
    const instance = ({ method, path }: ServedRequest): Answer => {
      if (method === 'PUT' && path === '/latest/api/token') return { status: 200, body: 'instance-token' };
      if (path === '/latest/meta-data/iam/security-credentials/') return { status: 200, body: 'the-role' };
      const Expiration = new Date(Date.now() + 3_600_000).toISOString();
      const credentials = {
        Code: 'Success',
        Type: 'AWS-HMAC',
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        Token: sessionToken,
        Expiration,
      };
      return path.endsWith('/the-role') ? { status: 200, body: JSON.stringify(credentials) } : { status: 404 };
    };
    await using metadata = await LoopbackServer.start(instance);
    using _ = withEnvironment({ AWS_EC2_METADATA_DISABLED: undefined, AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.origin });
    expect(await storeAs()).toBe(accessKeyId);
  });

  test('a web identity, asked for through the proxy', async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = SECOND;
    const sts = ({ body }: ServedRequest): Answer => {
      if (!body.toString().includes('WebIdentityToken=the-token')) return { status: 400 };
      const expiration = new Date(Date.now() + 3_600_000).toISOString();
      return {
        status: 200,
        headers: { 'content-type': 'text/xml' },
        body: `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey><SessionToken>${sessionToken}</SessionToken><Expiration>${expiration}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
      };
    };
    await using service = await LoopbackServer.start(sts);
    await using proxy = await ForwardProxy.start({ route: (host) => (host === 'sts.us-east-1.amazonaws.com' ? service.port : undefined) });
    writeFileSync(join(directory, 'token'), 'the-token');
    using _ = withEnvironment({
      AWS_WEB_IDENTITY_TOKEN_FILE: join(directory, 'token'),
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/backup',
      AWS_ENDPOINT_URL_STS: 'http://sts.us-east-1.amazonaws.com',
      http_proxy: `http://127.0.0.1:${proxy.port}`,
      no_proxy: '127.0.0.1',
    });
    expect(await storeAs()).toBe(accessKeyId);
  });

  test('single sign-on, by the token that "aws sso login" left', async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = FIRST;
    const portal = ({ path, query, headers }: ServedRequest): Answer => {
      const known = path === '/federation/credentials' && query.get('role_name') === 'backup' && query.get('account_id') === '123456789012';
      if (!known || headers['x-amz-sso_bearer_token'] !== 'sso-token') return { status: 401 };
      const roleCredentials = { accessKeyId, secretAccessKey, sessionToken, expiration: Date.now() + 3_600_000 };
      return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ roleCredentials }) };
    };
    await using service = await LoopbackServer.start(portal);
    const region = 'us-east-1';
    const startUrl = 'https://company.awsapps.com/start';
    const role = 'sso_account_id = 123456789012\nsso_role_name = backup\n';
    writeFileSync(
      join(directory, 'config'),
      `[default]\nsso_session = company\n${role}[sso-session company]\nsso_region = ${region}\nsso_start_url = ${startUrl}\n`,
    );
    const cache = join(directory, '.aws', 'sso', 'cache');
    mkdirSync(cache, { recursive: true });
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const file = `${createHash('sha1').update('company').digest('hex')}.json`;
    writeFileSync(join(cache, file), JSON.stringify({ startUrl, region, accessToken: 'sso-token', expiresAt }));
    using _ = withEnvironment({ HOME: directory, AWS_ENDPOINT_URL_SSO: service.origin });
    expect(await storeAs()).toBe(accessKeyId);
  });

  test('nobody: that exits with 14 and says what to do', async () => {
    expect(await openingFailure(open())).toMatchObject({ exitCode: 14, message: expect.stringContaining('backend-login') as string });
  });
});
