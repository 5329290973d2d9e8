/** s3qlstat. */
import { ControlFile } from '../cli/control-file.ts';
import { EXIT_OK } from '../cli/exit-codes.ts';
import { statSpec } from '../cli/options/stat.ts';
import { openCommandOutput } from '../cli/output.ts';
import { parseCommand } from '../cli/parse-command.ts';
import { statisticsJson, statisticsText } from '../cli/statistics-text.ts';

export async function run(argv: readonly string[]): Promise<number> {
  const options = parseCommand(statSpec, argv);
  using _output = await openCommandOutput(options, statSpec.program);
  const control = await ControlFile.find(options.mountpoint);
  const figures = await control.statistics();
  process.stdout.write(options.json ? statisticsJson(figures, await control.storeMetrics()) : statisticsText(figures, options.raw));
  return EXIT_OK;
}
