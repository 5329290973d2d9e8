/** The backend options that HTTP stores share (S3QL behaviour 1.3). Loaded by every command: no client in here. */
import type { BackendOptionSpec } from '../backend-factory.ts';

export const DEFAULT_TIMEOUT_S = 20;

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
