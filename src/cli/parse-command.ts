/** Turns a command line into the typed options of a command's table, by commander. Nothing here knows any particular command. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { UserError } from '../util/errors.ts';
import { argumentUsage, InvalidValueError, type AnyCommandSpec, type AnyOptionSpec, type CommandSpec } from './options/option.ts';
import { version } from './version.ts';

/** Exit code for command lines that can't be understood. */
const INVALID_COMMAND_LINE = 2;

/** `--help` or `--version` was asked for: print `text`, do nothing else. */
export class InformationRequest extends Error {
  readonly text: string;
  constructor(text: string) {
    super('information requested');
    this.name = 'InformationRequest';
    this.text = text;
  }
}

/**
 * Parses what follows the program's name.
 * @throws UserError (exit code 2) for what the table does not allow, InformationRequest for --help and --version
 */
export function parseCommand<Arguments, Options>(spec: CommandSpec<Arguments, Options>, argv: readonly string[]): Arguments & Options {
  const { command, options, output } = buildCommand(spec);
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) throw new InformationRequest(output.join(''));
    throw new UserError(oneLine(error.message), INVALID_COMMAND_LINE, { cause: error });
  }
  const values: Record<string, unknown> = {};
  for (const [index, key] of Object.keys(spec.arguments).entries()) values[key] = command.processedArgs[index];
  for (const [key, { spec, option }] of options) {
    const value: unknown = command.getOptionValue(option.attributeName());
    values[key] = 'value' in spec ? (value ?? spec.initial) : value === true;
  }
  return values as Arguments & Options;
}

/** The text that `--help` prints. */
export function helpText(spec: AnyCommandSpec): string {
  return buildCommand(spec).command.helpInformation();
}

function buildCommand(spec: AnyCommandSpec): {
  command: Command;
  options: Map<string, { spec: AnyOptionSpec; option: Option }>;
  output: string[];
} {
  const output: string[] = [];
  const command = new Command(spec.program)
    .description(spec.description.join('\n\n'))
    .exitOverride()
    .configureOutput({ writeOut: (text) => output.push(text), outputError: () => undefined })
    .version(`${spec.program} ${version()}`, '--version', 'Print the version')
    .helpOption('-h, --help', 'Print this help');
  for (const argument of Object.values(spec.arguments)) {
    command.argument(argumentUsage(argument), argument.description, translateErrors(argument.parse));
  }
  const options = new Map<string, { spec: AnyOptionSpec; option: Option }>();
  for (const [key, optionSpec] of Object.entries(spec.options)) {
    const option = new Option(optionFlags(optionSpec), describe(optionSpec));
    if ('value' in optionSpec) {
      // Commander would show the initial value itself in the help: ours is in the description.
      const parse = translateErrors(optionSpec.parse);
      option.argParser((text, previous) => parse(text, previous ?? optionSpec.initial));
    }
    command.addOption(option);
    options.set(key, { spec: optionSpec, option });
  }
  return { command, options, output };
}

/** As in help: `-L, --label <name>`. */
export function optionFlags(option: AnyOptionSpec): string {
  const names = [option.short, option.long].filter((name) => name !== undefined).join(', ');
  return 'value' in option ? `${names} <${option.value}>` : names;
}

function describe(option: AnyOptionSpec): string {
  const notes = [];
  if ('value' in option && option.repeatable === true) notes.push('may be repeated');
  if ('value' in option && option.fallback !== undefined) notes.push(`default: ${option.fallback}`);
  return notes.length > 0 ? `${option.description} (${notes.join('; ')})` : option.description;
}

function translateErrors(parse: (text: string, previous: never) => unknown): (text: string, previous: unknown) => unknown {
  return (text, previous) => {
    try {
      return parse(text, previous as never);
    } catch (error) {
      if (error instanceof InvalidValueError) throw new InvalidArgumentError(error.message);
      throw error;
    }
  };
}

/** Commander's messages begin with "error: " and may hint on a second line. */
function oneLine(message: string): string {
  return message
    .replace(/^error: /, '')
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim();
}
