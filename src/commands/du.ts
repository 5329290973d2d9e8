/** s3ql du. */
import { duSpec } from '../cli/options/du.ts';
import { parseCommand } from '../cli/parse-command.ts';
import { locationsOf, runDirect } from '../cli/run-direct.ts';
import { openForReading } from '../mount/direct/open-for-reading.ts';
import { ResultWriter } from '../mount/direct/output.ts';
import { showUsage } from '../mount/direct/tree-usage.ts';

export function run(argv: readonly string[]): Promise<number> {
  const options = parseCommand(duSpec, argv);
  const { storageUrl, paths } = locationsOf(options.locations, options.storageUrl);
  return runDirect(duSpec.program, options, storageUrl, async (request, interaction) => {
    await using opened = await openForReading(request, interaction);
    await using output = new ResultWriter();
    return await showUsage(opened.fileSystem, opened.databasePath, paths, options, output, interaction.signal);
  });
}
