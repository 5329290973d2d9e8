/** mkfs.s3ql: makes a file system. */
import { runMkfs } from '../cli/run-mkfs.ts';
import { makeFileSystem } from '../mount/make-file-system.ts';

export function run(argv: readonly string[]): Promise<number> {
  return runMkfs(argv, makeFileSystem);
}
