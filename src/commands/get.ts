/** s3ql get. */
import { getSpec } from '../cli/options/get.ts';
import { path } from '../cli/options/values.ts';
import { parseCommand } from '../cli/parse-command.ts';
import { locationsOf, runDirect, showCopied, sourcesAndTarget } from '../cli/run-direct.ts';
import { getFiles } from '../mount/direct/get-files.ts';
import { openForReading } from '../mount/direct/open-for-reading.ts';

export function run(argv: readonly string[]): Promise<number> {
  const options = parseCommand(getSpec, argv);
  const { sources, target } = sourcesAndTarget(options.paths);
  const { storageUrl, paths } = locationsOf(sources, options.storageUrl);
  return runDirect(getSpec.program, options, storageUrl, async (request, interaction) => {
    await using opened = await openForReading(request, interaction);
    return showCopied(await getFiles(opened.fileSystem, paths, path(target), interaction), options);
  });
}
