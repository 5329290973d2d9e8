/** A certificate authority of the tests and server certificates signed by it, made with openssl. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installDebianPackages } from '../debian-packages.ts';

export interface TestCertificate {
  readonly key: Buffer;
  readonly cert: Buffer;
}

const EC_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export class TestAuthority implements Disposable {
  /** The authority's certificate, for `ssl-ca-path`. */
  readonly certificatePath: string;
  readonly #directory: string;

  constructor() {
    installDebianPackages('openssl');
    this.#directory = mkdtempSync(join(tmpdir(), 's3ql-ca-'));
    this.certificatePath = join(this.#directory, 'ca.pem');
    this.#openssl('req', '-x509', ...EC_KEY, '-days', '2', '-subj', '/CN=Test authority', '-keyout', 'ca.key', '-out', 'ca.pem');
  }

  /** @param names DNS names (`*.` allowed) and IP addresses. @param validDays may be negative: an expired certificate */
  certificateFor(names: readonly string[], validDays: number = 2): TestCertificate {
    const alternatives = names.map((name) => `${/^[\d.]+$/.test(name) ? 'IP' : 'DNS'}:${name}`).join(',');
    writeFileSync(join(this.#directory, 'extensions'), `subjectAltName=${alternatives}\n`);
    this.#openssl('req', ...EC_KEY, '-subj', '/CN=Test server', '-keyout', 'server.key', '-out', 'server.csr');
    const validity = validDays > 0 ? ['-days', String(validDays)] : ['-not_before', '20200101000000Z', '-not_after', '20200102000000Z'];
    this.#openssl(
      'x509',
      '-req',
      '-in',
      'server.csr',
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      ...validity,
      '-extfile',
      'extensions',
      '-out',
      'server.pem',
    );
    return { key: readFileSync(join(this.#directory, 'server.key')), cert: readFileSync(join(this.#directory, 'server.pem')) };
  }

  #openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.#directory, stdio: ['ignore', 'ignore', 'pipe'], timeout: 30_000 });
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true });
  }
}
