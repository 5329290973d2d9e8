/** All files that are made from the tables of commands, by path in the repository. */
import { backendFactories } from '../../src/backends/registry.ts';
import { EXIT_CODES } from '../../src/cli/exit-codes.ts';
import { version } from '../../src/cli/version.ts';
import { COMMANDS } from '../../src/commands/registry.ts';
import { bashCompletions, fishCompletions, zshCompletions } from './completions.ts';
import { describeCommand } from './described-option.ts';
import { manPage, pageTitle, umbrellaManPage } from './man-page.ts';
import { commandPage, commandsPage, exitCodesPage, pageName } from './markdown.ts';
import { storesPage } from './stores.ts';

export async function documents(): Promise<ReadonlyMap<string, string>> {
  const commands = (await Promise.all(COMMANDS.map(({ spec }) => spec()))).map(describeCommand);
  return new Map([
    ...commands.map((command): [string, string] => [`docs/commands/${pageName(command.program)}`, commandPage(command)]),
    ['docs/commands/README.md', commandsPage(commands)],
    ['docs/exit-codes.md', exitCodesPage(EXIT_CODES)],
    ['docs/stores.md', storesPage([...backendFactories.values()])],
    ...commands.map((command): [string, string] => [`man/${pageTitle(command.program)}.1`, manPage(command, version())]),
    ['man/s3ql.1', umbrellaManPage(commands, version())],
    ['completions/s3ql.bash', bashCompletions(commands)],
    ['completions/_s3ql', zshCompletions(commands)],
    ['completions/s3ql.fish', fishCompletions(commands)],
  ]);
}
