/** s3ql ls. */
import { lsSpec } from '../cli/options/ls.ts';
import { parseCommand } from '../cli/parse-command.ts';
import { locationsOf, runDirect } from '../cli/run-direct.ts';
import { listFiles } from '../mount/direct/list-files.ts';
import { openForReading } from '../mount/direct/open-for-reading.ts';
import { ResultWriter } from '../mount/direct/output.ts';

export function run(argv: readonly string[]): Promise<number> {
  const options = parseCommand(lsSpec, argv);
  const { storageUrl, paths } = locationsOf(options.locations, options.storageUrl);
  return runDirect(lsSpec.program, options, storageUrl, async (request, interaction) => {
    await using opened = await openForReading(request, interaction);
    await using output = new ResultWriter();
    return await listFiles(opened.fileSystem, paths, options, output, interaction.signal);
  });
}
