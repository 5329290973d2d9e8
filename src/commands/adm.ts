/** s3qladm: looks after a file system that is not mounted. */
import { runAdm } from '../cli/run-adm.ts';
import { ADMIN_ACTIONS } from '../mount/admin/actions.ts';

export function run(argv: readonly string[]): Promise<number> {
  return runAdm(argv, ADMIN_ACTIONS);
}
