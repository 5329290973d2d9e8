/** `s3ql COMMAND ...`: all commands under one name. */
import { EXIT_INVALID_COMMAND_LINE, EXIT_OK } from '../cli/exit-codes.ts';
import { version } from '../cli/version.ts';
import { UserError } from '../util/errors.ts';
import { COMMANDS, findCommand } from './registry.ts';

/** Runs `s3ql` with what follows its name. */
export async function run(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === '--version') {
    process.stdout.write(`s3ql ${version()}\n`);
    return EXIT_OK;
  }
  if (name === '--help' || name === '-h' || (name === 'help' && rest.length === 0)) {
    process.stdout.write(await overview());
    return EXIT_OK;
  }
  if (name === undefined || name.startsWith('-')) {
    throw new UserError("no command was given: 's3ql --help' lists them", EXIT_INVALID_COMMAND_LINE);
  }
  if (name === 'help') return run([...rest, '--help']);
  const command = findCommand(name);
  if (command === undefined) throw new UserError(`unknown command '${name}': 's3ql --help' lists them`, EXIT_INVALID_COMMAND_LINE);
  return (await command.load()).run(rest);
}

async function overview(): Promise<string> {
  const specs = await Promise.all(COMMANDS.map(({ spec }) => spec()));
  const width = Math.max(...specs.map(({ name }) => name.length));
  const lines = specs.map((spec, index) => {
    const program = COMMANDS[index]?.program;
    return `  ${spec.name.padEnd(width)}  ${spec.summary}${program === undefined ? '' : ` (${program})`}\n`;
  });
  return `Usage: s3ql <command> [options]\n\nA POSIX file system on object storage.\n\nCommands:\n${lines.join('')}\n's3ql <command> --help' explains a command.\n`;
}
