/** What the fixtures hold: the same tree in all five (tests/fixtures/s3ql-6.3/manifest.json). */
import { readFile } from 'node:fs/promises';

/** One path of the tree. */
export interface ManifestEntry {
  /** In octal with its file type, as Python writes it. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  readonly mtime_ns: string;
  readonly size?: number;
  readonly nlink?: number;
  readonly sha256?: string;
  readonly target?: string;
  /** Major and minor. */
  readonly rdev?: readonly [number, number];
  /** Values in hexadecimal. */
  readonly xattrs?: Readonly<Record<string, string>>;
}

export async function readManifest(): Promise<Readonly<Record<string, ManifestEntry>>> {
  const text = await readFile(new URL('../fixtures/s3ql-6.3/manifest.json', import.meta.url), 'utf8');
  return JSON.parse(text) as Record<string, ManifestEntry>;
}
