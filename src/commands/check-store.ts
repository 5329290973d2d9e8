/** s3ql check-store: finds out what a store can do. */
import { checkStore } from '../backends/check-store/check-store.ts';
import { openForCheck } from '../backends/check-store/open-for-check.ts';
import { runCheckStore } from '../cli/run-check-store.ts';

export function run(argv: readonly string[]): Promise<number> {
  return runCheckStore(argv, async (spec, interaction) => {
    await using backend = await openForCheck(spec);
    return await checkStore(backend, { ...interaction, maxConnections: spec.maxConnections });
  });
}
