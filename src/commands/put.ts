/** s3ql put. */
import { putSpec } from '../cli/options/put.ts';
import { path } from '../cli/options/values.ts';
import { parseCommand } from '../cli/parse-command.ts';
import { locationsOf, runDirect, showCopied, sourcesAndTarget } from '../cli/run-direct.ts';
import { putFiles } from '../mount/direct/put-files.ts';

export function run(argv: readonly string[]): Promise<number> {
  const options = parseCommand(putSpec, argv);
  const { sources, target } = sourcesAndTarget(options.paths);
  const { storageUrl, paths } = locationsOf([target], options.storageUrl);
  return runDirect(putSpec.program, options, storageUrl, async (request, interaction) => {
    const summary = await putFiles(request, sources.map(path), paths[0] ?? '/', interaction);
    return showCopied(summary, options);
  });
}
