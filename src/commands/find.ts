/** s3ql find. */
import { findSpec, withTwoDashes } from '../cli/options/find.ts';
import { parseCommand } from '../cli/parse-command.ts';
import { locationsOf, runDirect } from '../cli/run-direct.ts';
import { findFiles } from '../mount/direct/find-files.ts';
import { openForReading } from '../mount/direct/open-for-reading.ts';
import { ResultWriter } from '../mount/direct/output.ts';

export function run(argv: readonly string[]): Promise<number> {
  const options = parseCommand(findSpec, withTwoDashes(argv));
  const { storageUrl, paths } = locationsOf(options.locations, options.storageUrl);
  const format = options.json ? 'json' : options.print0 ? 'print0' : 'lines';
  return runDirect(findSpec.program, options, storageUrl, async (request, interaction) => {
    await using opened = await openForReading(request, interaction);
    await using output = new ResultWriter();
    return await findFiles(opened.fileSystem, paths, options, format, output, interaction.signal);
  });
}
