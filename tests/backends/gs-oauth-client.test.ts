/** s3ql_oauth_client with a token service of the test's own, and the test as the person with the browser. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { runCommand } from '../support/mounted-file-system.ts';
import { startTokenServer, type TokenServerOptions } from '../support/servers/gs-server.ts';
import type { LoopbackServer } from '../support/servers/loopback-server.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/s3ql_oauth_client', import.meta.url));
const REFRESH_TOKEN = '1//the-refresh-token';

let server: LoopbackServer;
let home: string;
let consent: TokenServerOptions['consent'];

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 's3ql-oauth-'));
  server = await startTokenServer({
    clientId: 'client-1',
    clientSecret: 'client-secret',
    refreshToken: REFRESH_TOKEN,
    nextToken: () => 'access-token',
    get consent() {
      return consent;
    },
  });
  mkdirSync(join(home, '.s3ql'));
  const client = { client_id: 'client-1', client_secret: 'client-secret', token_uri: `${server.origin}/token` };
  writeFileSync(join(home, '.s3ql', 'google-oauth-client.json'), JSON.stringify({ installed: client }));
});

beforeEach(() => {
  consent = undefined;
  server.reset();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(home, { recursive: true });
});

/** The program waiting for consent at `url`. */
class WaitingProgram implements AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams;
  stdout = '';
  stderr = '';
  url: URL = new URL('about:blank');

  private constructor() {
    this.child = spawn(PROGRAM, ['--no-browser'], { env: { ...process.env, HOME: home } });
    this.child.stdout.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
  }

  static async start(): Promise<WaitingProgram> {
    const program = new WaitingProgram();
    while (!program.stderr.includes('\n\n  http')) await once(program.child.stderr, 'data');
    program.url = new URL(/https:\S+/.exec(program.stderr)?.[0] ?? '');
    return program;
  }

  /** Where Google leads the browser when the person has agreed. */
  agree(): URL {
    const { searchParams } = this.url;
    const redirectUri = searchParams.get('redirect_uri') ?? '';
    consent = { code: '4/code', codeChallenge: searchParams.get('code_challenge') ?? '', redirectUri };
    return this.answer({ code: '4/code' });
  }

  answer(content: Readonly<Record<string, string>>): URL {
    const url = new URL(this.url.searchParams.get('redirect_uri') ?? '');
    url.search = new URLSearchParams({ state: this.url.searchParams.get('state') ?? '', ...content }).toString();
    return url;
  }

  async exitCode(): Promise<unknown> {
    if (this.child.exitCode === null) await once(this.child, 'close');
    return this.child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'close');
  }
}

test('consent in the browser gives a refresh token, alone on standard output', async () => {
  await using program = await WaitingProgram.start();
  expect(`${program.url.origin}${program.url.pathname}`).toBe('https://accounts.google.com/o/oauth2/v2/auth');
  expect(Object.fromEntries(program.url.searchParams)).toMatchObject({
    client_id: 'client-1',
    response_type: 'code',
    access_type: 'offline',
    scope: 'https://www.googleapis.com/auth/devstorage.read_write',
    code_challenge_method: 'S256',
    redirect_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
  });
  const page = await fetch(program.agree());
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('close this window')]);
  expect(await program.exitCode()).toBe(0);
  expect(program.stdout).toBe(`${REFRESH_TOKEN}\n`);
  expect(program.stderr).not.toContain(REFRESH_TOKEN);
});

test('without a browser on this machine the address where it ended is pasted; another one is asked for again', async () => {
  await using program = await WaitingProgram.start();
  program.child.stdin.write(`4/code\n${program.url.href}\n${program.agree().href}\n`);
  expect(await program.exitCode()).toBe(0);
  expect(program.stdout).toBe(`${REFRESH_TOKEN}\n`);
  expect(program.stderr).toContain('not the address where the browser ended');
});

test('pages that do not know the question are no answer', async () => {
  await using program = await WaitingProgram.start();
  expect((await fetch(program.answer({ state: 'guessed', code: '4/evil' }))).status).toBe(404);
  expect((await fetch(new URL('/favicon.ico', program.answer({})))).status).toBe(404);
  await fetch(program.agree());
  expect(await program.exitCode()).toBe(0);
});

test('who refuses in the browser, and a code that Google refuses, end with exit code 14', async () => {
  await using refusing = await WaitingProgram.start();
  await fetch(refusing.answer({ error: 'access_denied' }));
  expect(await refusing.exitCode()).toBe(14);
  expect(refusing.stderr).toContain('error: Access was denied in the browser');
  await using mistaken = await WaitingProgram.start();
  await fetch(mistaken.answer({ code: '4/other' }));
  expect(await mistaken.exitCode()).toBe(14);
  expect(mistaken.stderr).toContain('Malformed auth code');
});

test('Ctrl-C ends it without a word', async () => {
  await using program = await WaitingProgram.start();
  program.child.kill('SIGINT');
  expect(await program.exitCode()).toBe(130);
  expect(program.stderr).not.toContain('error');
});

test('without an OAuth client it says where one comes from, and exits with 2', async () => {
  const result = await runCommand('s3ql_oauth_client', ['--oauth-client', '/nowhere'], {});
  expect(result).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining('Google console') as string });
});
