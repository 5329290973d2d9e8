/** Which certificate authorities a TLS connection trusts: the system's, or those of `ssl-ca-path`. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { UserError } from '../../util/errors.ts';

/** Where Debian, Red Hat, SUSE and Alpine keep the bundle of the authorities that the machine's administrator trusts. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
const MAX_CERTIFICATE_FILE_BYTES = 16 * 1024 * 1024;

/**
 * TLS settings shared by all connections of a client (parsing a bundle takes milliseconds). Without `caPath`: the system's bundle
 * (`SSL_CERT_FILE` or the usual places), else the one built into Node.
 * @throws UserError if `caPath` cannot be read or holds no certificate
 */
export function tlsContext(caPath: string | undefined, environment: Readonly<Record<string, string | undefined>>): SecureContext {
  const ca = caPath === undefined ? systemBundle(environment['SSL_CERT_FILE']) : certificatesAt(caPath);
  return createSecureContext({ minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) });
}

function systemBundle(fromEnvironment: string | undefined): string | undefined {
  for (const path of [fromEnvironment, ...SYSTEM_BUNDLES]) {
    if (path === undefined) continue;
    try {
      const text = readCertificates(path);
      if (text !== undefined) return text;
    } catch {
      // Not this kind of system.
    }
  }
  return undefined;
}

/** One file with certificates, or a directory with one file for each. */
function certificatesAt(caPath: string): string[] {
  let certificates;
  try {
    const files = statSync(caPath).isDirectory() ? readdirSync(caPath).map((name) => join(caPath, name)) : [caPath];
    certificates = files.map((file) => readCertificates(file)).filter((text) => text !== undefined);
  } catch (cause) {
    throw new UserError(`Cannot read the certificates at ssl-ca-path=${caPath}: ${String(cause)}`, 2, { cause });
  }
  if (certificates.length === 0) throw new UserError(`There is no certificate (PEM) at ssl-ca-path=${caPath}.`, 2);
  return certificates;
}

function readCertificates(file: string): string | undefined {
  const stat = statSync(file);
  if (!stat.isFile() || stat.size > MAX_CERTIFICATE_FILE_BYTES) return undefined;
  const text = readFileSync(file, 'latin1');
  return text.includes('-----BEGIN CERTIFICATE-----') ? text : undefined;
}
