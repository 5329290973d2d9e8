/** fsck.s3ql: checks a file system and repairs it. */
import { runFsck } from '../cli/run-fsck.ts';
import { checkFileSystem } from '../mount/check-file-system.ts';

export function run(argv: readonly string[]): Promise<number> {
  return runFsck(argv, checkFileSystem);
}
