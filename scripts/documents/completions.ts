/** Completions for bash, zsh and fish, for each program of its own and for `s3ql COMMAND`. */
import type { DescribedCommand, DescribedOption } from './described-option.ts';

const NOTE = '# Made by scripts/generate-docs.ts from the tables in src/cli: change those.';

export function bashCompletions(commands: readonly DescribedCommand[]): string {
  const cases = commands.map((command) => {
    const valued = command.options.filter(({ value }) => value !== undefined);
    const values = valued.map(({ names, ...option }) => `        ${names.join('|')}) ${bashValue(option)}; return ;;`);
    return [
      `    ${command.name})`,
      '      case $previous in',
      ...values,
      '      esac',
      `      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "${longNames(command)}" -- "$word"))`,
      '      else COMPREPLY=($(compgen -f -- "$word")); fi ;;',
    ].join('\n');
  });
  const programs = ownPrograms(commands);
  const lines = [
    NOTE,
    '_s3ql_command() {',
    '  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}',
    '  case $1 in',
    ...cases,
    '  esac',
    '}',
    '_s3ql() {',
    '  compopt -o filenames 2>/dev/null',
    '  case ${COMP_WORDS[0]##*/} in',
    ...programs.map(({ name, program }) => `    ${program}) _s3ql_command ${name} ;;`),
    '    *)',
    `      if ((COMP_CWORD == 1)); then COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(' ')} --help --version" -- "\${COMP_WORDS[1]}"))`,
    '      else _s3ql_command "${COMP_WORDS[1]}"; fi ;;',
    '  esac',
    '}',
    `complete -F _s3ql s3ql ${programs.map(({ program }) => program).join(' ')}`,
  ];
  return `${lines.join('\n')}\n`;
}

function bashValue({ choices, completes }: Pick<DescribedOption, 'choices' | 'completes'>): string {
  if (choices.length > 0) return `COMPREPLY=($(compgen -W "${choices.join(' ')}" -- "$word"))`;
  if (completes === 'directory') return 'COMPREPLY=($(compgen -d -- "$word"))';
  if (completes === 'file') return 'COMPREPLY=($(compgen -f -- "$word"))';
  return 'COMPREPLY=()';
}

export function zshCompletions(commands: readonly DescribedCommand[]): string {
  const programs = ownPrograms(commands);
  const functions = commands.map((command) => {
    const options = command.options.map((option) => `    ${zshOption(option)} \\`);
    const last = command.arguments.at(-1);
    const positional = command.arguments.map(
      ({ name, completes, choices = [] }, index) =>
        `    '${last?.variadic === true && index === command.arguments.length - 1 ? '*' : index + 1}:${name}:${zshAction(choices, completes)}'`,
    );
    return [`_s3ql_${identifier(command.name)}() {`, '  _arguments -s -S \\', ...options, positional.join(' \\\n'), '}'].join('\n');
  });
  const lines = [
    `#compdef s3ql ${programs.map(({ program }) => program).join(' ')}`,
    NOTE,
    ...functions,
    '_s3ql_commands() {',
    '  local -a commands=(',
    ...commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`),
    '  )',
    "  _describe -t commands 's3ql command' commands",
    '}',
    '_s3ql() {',
    '  case $service in',
    ...programs.map(({ name, program }) => `    ${program}) _s3ql_${identifier(name)} ;;`),
    '    *)',
    '      if ((CURRENT == 2)); then _s3ql_commands',
    '      else',
    '        local command=${words[2]//-/_}',
    '        shift words',
    '        ((CURRENT--))',
    '        (($+functions[_s3ql_$command])) && _s3ql_$command',
    '      fi ;;',
    '  esac',
    '}',
    '_s3ql "$@"',
  ];
  return `${lines.join('\n')}\n`;
}

function zshOption({ names, value, repeatable, description, choices, completes }: DescribedOption): string {
  const help = `[${description.replaceAll(/[[\]:]/g, String.raw`\$&`)}]`;
  const argument = value === undefined ? '' : `:${value}:${zshAction(choices, completes)}`;
  const prefix = repeatable ? '*' : names.length > 1 ? `(${names.join(' ')})` : '';
  if (names.length === 1 || repeatable) return names.map((name) => quote(`${prefix}${name}${help}${argument}`)).join(' ');
  return `${quote(prefix)}{${names.join(',')}}${quote(`${help}${argument}`)}`;
}

function zshAction(choices: readonly string[], completes: 'file' | 'directory' | undefined): string {
  if (choices.length > 0) return `(${choices.join(' ')})`;
  if (completes === 'directory') return '_files -/';
  return completes === 'file' ? '_files' : '';
}

export function fishCompletions(commands: readonly DescribedCommand[]): string {
  const lines = [
    NOTE,
    ...commands.map(({ name, summary }) => `complete -c s3ql -n __fish_use_subcommand -f -a ${name} -d ${fishQuote(summary)}`),
    ...commands.flatMap((command) => [
      ...command.options.map((option) => `complete -c s3ql -n '__fish_seen_subcommand_from ${command.name}' ${fishOption(option)}`),
      ...(command.program === `s3ql ${command.name}`
        ? []
        : command.options.map((option) => `complete -c ${command.program} ${fishOption(option)}`)),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

function fishOption({ names, value, description, choices, completes }: DescribedOption): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(' ');
  const required = value === undefined ? '' : ' -r';
  const files = value === undefined || completes !== undefined ? '' : ' -f';
  const list = choices.length > 0 ? ` -a ${fishQuote(choices.join(' '))}` : '';
  return `${flags}${required}${files}${list} -d ${fishQuote(description)}`;
}

function ownPrograms(commands: readonly DescribedCommand[]): readonly DescribedCommand[] {
  return commands.filter(({ name, program }) => program !== `s3ql ${name}`);
}

function longNames({ options }: DescribedCommand): string {
  return options.flatMap(({ names }) => names.filter((name) => name.startsWith('--'))).join(' ');
}

function identifier(name: string): string {
  return name.replaceAll('-', '_');
}

/** For sh, bash and zsh. */
function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function fishQuote(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
}
