/** The backend options that all HTTP stores share (S3QL behaviour 1.3), and the client they describe. */
import { UserError } from '../../util/errors.ts';
import type { BackendOptionSpec, BackendSpec } from '../backend-factory.ts';
import { HttpClient } from './http-client.ts';

const DEFAULT_TIMEOUT_S = 20;
const MAX_TIMEOUT_S = 24 * 3600;

export const NO_SSL_OPTION: Readonly<Record<string, BackendOptionSpec>> = {
  'no-ssl': { takesValue: false, description: 'Connect without TLS (plain HTTP).' },
};

export const HTTP_OPTIONS: Readonly<Record<string, BackendOptionSpec>> = {
  'ssl-ca-path': {
    takesValue: true,
    description: 'Trust the certificate authorities in this file (or in the files of this directory) instead of those of the system.',
  },
  'tcp-timeout': { takesValue: true, description: `Give up a connection after so many seconds of silence (${DEFAULT_TIMEOUT_S}).` },
};

/** Options of S3QL that concern its own HTTP client: ours never sends `Expect: 100-continue`, and nothing is ever copied within a store. */
export const S3QL_CLIENT_OPTIONS: Readonly<Record<string, BackendOptionSpec>> = {
  'disable-expect100': { takesValue: false, description: "Accepted for S3QL's sake: Expect: 100-continue is never sent." },
  'dumb-copy': { takesValue: false, description: "Accepted for S3QL's sake: objects are never copied within a store." },
};

/** The value of an option that takes one. */
export function optionValue(spec: BackendSpec, name: string): string | undefined {
  const value = spec.options[name];
  return typeof value === 'string' ? value : undefined;
}

/** @throws UserError with exit code 2 for bad values, 13 for a bad proxy variable */
export function openHttpClient(spec: BackendSpec): HttpClient {
  return new HttpClient({ maxConnections: spec.maxConnections, timeoutMs: timeoutMs(spec), caPath: optionValue(spec, 'ssl-ca-path') });
}

/** Of `tcp-timeout`. @throws UserError */
export function timeoutMs(spec: BackendSpec): number {
  const text = optionValue(spec, 'tcp-timeout') ?? String(DEFAULT_TIMEOUT_S);
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds > 0 && seconds <= MAX_TIMEOUT_S))
    throw new UserError(`Backend option tcp-timeout=${text} must be a number of seconds above 0.`, 2);
  return seconds * 1000;
}
