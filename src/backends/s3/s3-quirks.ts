/**
 * Where providers of the S3 interface differ, in one table. What is not here is found out when a store is opened, or behaves as Amazon's.
 */

export interface S3Quirks {
  /** Version of the list request to begin with. */
  readonly listVersion: 1 | 2;
  /** Keys per request for multiple deletion; 1 if there is none. */
  readonly batchDelete: number;
  /** PUT with If-None-Match and If-Match: known, or to be found out by trying. */
  readonly conditionalPut: 'yes' | 'no' | 'probe';
}

interface QuirksRow extends Partial<S3Quirks> {
  /** Which hosts, and why they are here. */
  readonly hosts: RegExp;
  readonly why: string;
}

const USUAL: S3Quirks = { listVersion: 2, batchDelete: 1000, conditionalPut: 'probe' };

const TABLE: readonly QuirksRow[] = [
  {
    hosts: /(^|\.)s3\.[a-z0-9-]+\.(amazonaws\.(com|com\.cn|eu)|c2s\.ic\.gov|sc2s\.sgov\.gov)$/,
    why: 'documented since 2024',
    conditionalPut: 'yes',
  },
  { hosts: /(^|\.)backblazeb2\.com$/, why: 'no conditional requests', conditionalPut: 'no' },
  {
    hosts: /(^|\.)storage\.googleapis\.com$/,
    why: 'no multiple deletion in the XML API, preconditions by generation only',
    batchDelete: 1,
    conditionalPut: 'no',
  },
];

/** Stores that get SigV2 (s3c://) are old ones: S3QL never deletes several objects at once there. */
const SIGNATURE_V2: Partial<S3Quirks> = { listVersion: 1, batchDelete: 1 };

export function s3Quirks(hostname: string, signatureVersion: 2 | 4): S3Quirks {
  const row = TABLE.find(({ hosts }) => hosts.test(hostname));
  return { ...USUAL, ...(signatureVersion === 2 ? SIGNATURE_V2 : {}), ...row };
}
