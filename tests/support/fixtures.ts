/** File systems made by S3QL 6.3.0, unpacked into a temporary directory. tests/fixtures/s3ql-6.3/README.md says what is in them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const FIXTURE_NAMES = ['plain-none', 'plain-zlib', 'aes-lzma', 'aes-bzip2', 'aes-zlib'] as const;
export type FixtureName = (typeof FIXTURE_NAMES)[number];
export const FIXTURE_PASSPHRASE = 'correct horse battery staple';

const archives = new URL('../fixtures/s3ql-6.3/', import.meta.url);

/** A writable copy of a fixture: the directory of a local:// store. Gone when disposed of. */
export class UnpackedFixture implements Disposable {
  readonly directory: string;
  readonly #root: string;

  constructor(name: FixtureName) {
    this.#root = mkdtempSync(join(tmpdir(), 's3ql-fixture-'));
    execFileSync('tar', ['xzf', new URL(`${name}.tar.gz`, archives).pathname, '-C', this.#root]);
    this.directory = join(this.#root, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}
