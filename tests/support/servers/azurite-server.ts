/** Azurite, Microsoft's own emulator of Azure Storage, as a process on loopback with its blobs in memory. */
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ChildServer, freePorts } from './child-server.ts';
import type { TestCertificate } from './test-certificates.ts';

const VERSION = '2021-12-02';

export interface AzuriteOptions {
  /** With TLS it also takes tokens of Entra. */
  readonly certificate?: TestCertificate;
}

export class AzuriteServer implements AsyncDisposable {
  readonly account = 'testaccount';
  readonly key: string = randomBytes(64).toString('base64');
  /** `http[s]://127.0.0.1:port` */
  readonly origin: string;
  readonly #directory: string;
  #process: ChildServer | undefined;

  private constructor(origin: string, directory: string) {
    this.origin = origin;
    this.#directory = directory;
  }

  static async start({ certificate }: AzuriteOptions = {}): Promise<AzuriteServer> {
    const directory = mkdtempSync(join(tmpdir(), 's3ql-azurite-'));
    const [port = 0] = await freePorts(1);
    const server = new AzuriteServer(`${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, directory);
    const tls = ['--oauth', 'basic', '--cert', join(directory, 'cert.pem'), '--key', join(directory, 'key.pem')];
    if (certificate !== undefined) {
      writeFileSync(join(directory, 'cert.pem'), certificate.cert);
      writeFileSync(join(directory, 'key.pem'), certificate.key);
    }
    const main = fileURLToPath(import.meta.resolve('azurite/dist/src/blob/main.js'));
    const args = ['--inMemoryPersistence', '--disableTelemetry', '--silent', '--blobHost', '127.0.0.1', '--blobPort', String(port)];
    try {
      server.#process = await ChildServer.start(process.execPath, [main, ...args, ...(certificate === undefined ? [] : tls)], {
        port,
        cwd: directory,
        env: { AZURITE_ACCOUNTS: `${server.account}:${server.key}` },
      });
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The value of the backend option `endpoint`. */
  get endpoint(): string {
    return `${this.origin}/${this.account}`;
  }

  /** A shared access signature for a container. @param permissions e.g. `racwdl` */
  containerSas(container: string, permissions: string, expires: Date): string {
    const expiry = `${expires.toISOString().slice(0, 19)}Z`;
    const resource = `/blob/${this.account}/${container}`;
    const fields = [permissions, '', expiry, resource, '', '', '', VERSION, 'c', '', '', '', '', '', '', ''];
    return new URLSearchParams({ sp: permissions, se: expiry, sv: VERSION, sr: 'c', sig: this.#sign(fields.join('\n')) }).toString();
  }

  /** @param send how to make the request, e.g. one that trusts the server's certificate. Default: fetch */
  async createContainer(name: string, send: (url: string, init: RequestInit) => Promise<Response> = fetch): Promise<void> {
    const headers = { 'x-ms-date': new Date().toUTCString(), 'x-ms-version': VERSION };
    const canonicalHeaders = Object.entries(headers).map(([header, value]) => `${header}:${value}`);
    const canonicalResource = [`/${this.account}/${this.account}/${name}`, 'restype:container'];
    const signature = this.#sign(['PUT', ...Array.from({ length: 11 }, () => ''), ...canonicalHeaders, ...canonicalResource].join('\n'));
    const authorization = `SharedKey ${this.account}:${signature}`;
    const response = await send(`${this.endpoint}/${name}?restype=container`, { method: 'PUT', headers: { ...headers, authorization } });
    if (response.status !== 201) throw new Error(`creating container ${name}: HTTP ${response.status} ${await response.text()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #sign(text: string): string {
    return createHmac('sha256', Buffer.from(this.key, 'base64')).update(text).digest('base64');
  }
}
