/** s3qlcp. */
import { copyTree } from '../cli/copy-tree.ts';
import { EXIT_OK } from '../cli/exit-codes.ts';
import { cpSpec } from '../cli/options/cp.ts';
import { openCommandOutput } from '../cli/output.ts';
import { parseCommand } from '../cli/parse-command.ts';

export async function run(argv: readonly string[]): Promise<number> {
  const options = parseCommand(cpSpec, argv);
  using output = await openCommandOutput(options, cpSpec.program);
  await copyTree(options.source, options.target, output);
  return EXIT_OK;
}
