/** `s3ql pcp`. */
import { copyInParallel } from '../backup/parallel-copy.ts';
import { EXIT_INVALID_COMMAND_LINE, EXIT_OK } from '../cli/exit-codes.ts';
import { interruptible } from '../cli/interruptible.ts';
import { pcpSpec } from '../cli/options/pcp.ts';
import { openCommandOutput } from '../cli/output.ts';
import { parseCommand } from '../cli/parse-command.ts';
import { UserError } from '../util/errors.ts';

export async function run(argv: readonly string[]): Promise<number> {
  const { paths, archive, processes: processCount, ...options } = parseCommand(pcpSpec, argv);
  const target = paths.at(-1);
  const sources = paths.slice(0, -1);
  if (target === undefined || sources.length === 0) throw new UserError('a source and a target are needed', EXIT_INVALID_COMMAND_LINE);
  using output = await openCommandOutput(options, pcpSpec.program);
  const summary = await interruptible((signal) => copyInParallel({ sources, target, processCount, archive }, output.progress, signal));
  if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
  return EXIT_OK;
}
