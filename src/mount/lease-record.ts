/** The lease's object in the store: who holds it. */
import type { Backend, ObjectKey } from '../backends/backend.ts';
import { NoSuchObjectError } from '../backends/errors.ts';

export const LEASE_KEY: ObjectKey = 's3ql_lease';

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
  return Buffer.from(JSON.stringify(holder));
}

/** Undefined: nobody has it. A lease that cannot be understood is that of an unknown machine. */
export async function fetchLease(backend: Backend, signal?: AbortSignal): Promise<FoundLease | undefined> {
  try {
    const { payload, version } = await backend.fetch(LEASE_KEY, signal === undefined ? {} : { signal });
    return { ...decodeLease(payload), ...(version === undefined ? {} : { version }) };
  } catch (error) {
    if (error instanceof NoSuchObjectError) return undefined;
    throw error;
  }
}

export function isSameLease(a: LeaseHolder, b: LeaseHolder | undefined): boolean {
  return a.nonce === b?.nonce && a.renewal === b.renewal;
}

function decodeLease(payload: Uint8Array): LeaseHolder {
  const text = Buffer.from(payload).toString();
  const unknown: LeaseHolder = { nonce: text, renewal: 0, host: 'an unknown machine', program: 'a program', mounted: false };
  try {
    const found = { ...unknown, ...(JSON.parse(text) as Partial<LeaseHolder>) };
    const isLease = (Object.keys(unknown) as (keyof LeaseHolder)[]).every((key) => typeof found[key] === typeof unknown[key]);
    return isLease ? found : unknown;
  } catch {
    return unknown;
  }
}
