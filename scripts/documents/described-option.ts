/** A command's table in the form that all kinds of documents are made from. */
import { EXIT_CODES, type ExitCodeEntry } from '../../src/cli/exit-codes.ts';
import { argumentUsage, type AnyArgumentSpec, type AnyCommandSpec, type AnyOptionSpec } from '../../src/cli/options/option.ts';

export interface DescribedOption {
  /** `-L`, `--label`. */
  readonly names: readonly string[];
  /** As in help, e.g. `KiB`; absent for switches. */
  readonly value?: string;
  readonly fallback?: string;
  readonly repeatable: boolean;
  readonly description: string;
  readonly choices: readonly string[];
  readonly completes?: 'file' | 'directory';
}

export interface DescribedCommand {
  readonly name: string;
  readonly program: string;
  readonly summary: string;
  readonly description: readonly string[];
  readonly arguments: readonly AnyArgumentSpec[];
  readonly options: readonly DescribedOption[];
  readonly exitCodes: readonly ExitCodeEntry[];
  /** `mkfs.s3ql [options] <storage-url>`. */
  readonly usage: string;
}

/** Options that every command has although no table mentions them. */
const BUILT_IN: readonly DescribedOption[] = [
  { names: ['--version'], repeatable: false, description: 'Print the version', choices: [] },
  { names: ['-h', '--help'], repeatable: false, description: 'Print this help', choices: [] },
];

export function describeCommand(spec: AnyCommandSpec): DescribedCommand {
  const { name, program, summary, description } = spec;
  const arguments_ = Object.values(spec.arguments);
  const usage = [program, '[options]', ...arguments_.map(argumentUsage)].join(' ');
  const options = [...Object.values(spec.options).map(describeOption), ...BUILT_IN];
  return { name, program, summary, description, arguments: arguments_, options, exitCodes: exitCodesOf(spec), usage };
}

function describeOption(option: AnyOptionSpec): DescribedOption {
  const names = [option.short, option.long].filter((name) => name !== undefined);
  const { description } = option;
  if (!('value' in option)) return { names, description, repeatable: false, choices: [] };
  const { value, fallback, repeatable = false, choices = [], completes } = option;
  return {
    names,
    value,
    description,
    repeatable,
    choices,
    ...(fallback === undefined ? {} : { fallback }),
    ...(completes === undefined ? {} : { completes }),
  };
}

/** The codes a command can end with. */
function exitCodesOf(spec: AnyCommandSpec): readonly ExitCodeEntry[] {
  const opensStore = 'authfile' in spec.options;
  const groups: Readonly<Record<string, boolean>> = {
    all: true,
    storage: opensStore,
    'file-system': opensStore && spec.name !== 'mkfs',
    log: 'log' in spec.options,
  };
  const belongs = ({ commands }: ExitCodeEntry): boolean =>
    typeof commands === 'string' ? groups[commands] === true : commands.includes(spec.name);
  return EXIT_CODES.filter(belongs);
}
