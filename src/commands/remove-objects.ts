/** `s3ql remove-objects`: takes objects out of the store. */
import { runRemoveObjects } from '../cli/run-remove-objects.ts';
import { removeObjects } from '../mount/remove-objects.ts';

export function run(argv: readonly string[]): Promise<number> {
  return runRemoveObjects(argv, removeObjects);
}
