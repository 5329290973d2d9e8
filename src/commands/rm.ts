/** s3qlrm. */
import { EXIT_OK } from '../cli/exit-codes.ts';
import { rmSpec } from '../cli/options/rm.ts';
import { openCommandOutput } from '../cli/output.ts';
import { parseCommand } from '../cli/parse-command.ts';
import { removeTree } from '../cli/remove-tree.ts';

export async function run(argv: readonly string[]): Promise<number> {
  const options = parseCommand(rmSpec, argv);
  using output = await openCommandOutput(options, rmSpec.program);
  for (const path of options.paths) await removeTree(path, output);
  return EXIT_OK;
}
