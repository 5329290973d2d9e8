/** s3ql_verify: verifies that the store has all data. */
import { runVerify } from '../cli/run-verify.ts';
import { verifyFileSystem } from '../mount/verify-file-system.ts';

export function run(argv: readonly string[]): Promise<number> {
  return runVerify(argv, verifyFileSystem);
}
