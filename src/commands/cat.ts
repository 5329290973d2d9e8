/** s3ql cat. */
import { catSpec } from '../cli/options/cat.ts';
import { parseCommand } from '../cli/parse-command.ts';
import { locationsOf, runDirect } from '../cli/run-direct.ts';
import { openForReading } from '../mount/direct/open-for-reading.ts';
import { ResultWriter } from '../mount/direct/output.ts';
import { printFiles } from '../mount/direct/print-files.ts';

export function run(argv: readonly string[]): Promise<number> {
  const options = parseCommand(catSpec, argv);
  const { storageUrl, paths } = locationsOf(options.locations, options.storageUrl);
  return runDirect(catSpec.program, options, storageUrl, async (request, interaction) => {
    await using opened = await openForReading(request, interaction);
    await using output = new ResultWriter();
    return await printFiles(opened.fileSystem, paths, options, output, interaction.signal);
  });
}
