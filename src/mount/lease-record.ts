/** The lease's object in the store: who holds it. With a digest, as stores have other checks only for encrypted objects. */
import { createHash } from 'node:crypto';
import type { Backend, ObjectKey } from '../backends/backend.ts';
import { NoSuchObjectError } from '../backends/errors.ts';

export const LEASE_KEY: ObjectKey = 's3ql_lease';

/** How often to look at a lease that cannot be understood: an answer may have been damaged on its way. */
const FETCH_ATTEMPTS = 3;

export interface LeaseHolder {
  /** Tells acquisitions apart. */
  readonly nonce: string;
  /** Tells renewals apart. */
  readonly renewal: number;
  /** For messages. */
  readonly host: string;
  /** The command that holds it; for messages. */
  readonly program: string;
  /** The superblock, too, says that the file system is in use. */
  readonly mounted: boolean;
}

export interface FoundLease extends LeaseHolder {
  /** For a conditional replacement, where the store has them. */
  readonly version?: string;
}

export function encodeLease(holder: LeaseHolder): Uint8Array {
  return Buffer.from(JSON.stringify({ ...holder, digest: digestOf(holder) }));
}

/** Undefined: nobody has it. A lease that cannot be understood is that of an unknown machine. */
export async function fetchLease(backend: Backend, signal?: AbortSignal): Promise<FoundLease | undefined> {
  try {
    for (let attempt = 1; ; attempt += 1) {
      const { payload, version } = await backend.fetch(LEASE_KEY, signal === undefined ? {} : { signal });
      const holder = decodeLease(payload) ?? (attempt < FETCH_ATTEMPTS ? undefined : unknownHolder(payload));
      if (holder !== undefined) return { ...holder, ...(version === undefined ? {} : { version }) };
    }
  } catch (error) {
    if (error instanceof NoSuchObjectError) return undefined;
    throw error;
  }
}

export function isSameLease(a: LeaseHolder, b: LeaseHolder | undefined): boolean {
  return a.nonce === b?.nonce && a.renewal === b.renewal;
}

function decodeLease(payload: Uint8Array): LeaseHolder | undefined {
  try {
    const { digest, ...found } = JSON.parse(Buffer.from(payload).toString()) as Partial<LeaseHolder & { digest: string }>;
    const { nonce, renewal, host, program, mounted } = found;
    if (typeof nonce !== 'string' || typeof renewal !== 'number' || typeof host !== 'string') return undefined;
    if (typeof program !== 'string' || typeof mounted !== 'boolean') return undefined;
    const holder: LeaseHolder = { nonce, renewal, host, program, mounted };
    return digest === digestOf(holder) ? holder : undefined;
  } catch {
    return undefined;
  }
}

function digestOf({ nonce, renewal, host, program, mounted }: LeaseHolder): string {
  return createHash('sha256')
    .update(JSON.stringify([nonce, renewal, host, program, mounted]))
    .digest('hex');
}

function unknownHolder(payload: Uint8Array): LeaseHolder {
  return { nonce: Buffer.from(payload).toString('base64'), renewal: 0, host: 'an unknown machine', program: 'a program', mounted: false };
}
