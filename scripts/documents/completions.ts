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
      `      if [[ $word == -* ]]; then ${bashReply(`-W "${longNames(command)}"`)}`,
      ...actionsOf(command).map(
        (actions) => `      elif ! _s3ql_given ${actions.join(' ')}; then ${bashReply(`-W "${actions.join(' ')}"`)}`,
      ),
      `      else ${bashReply('-f')}; fi ;;`,
    ].join('\n');
  });
  const programs = ownPrograms(commands);
  const lines = [
    NOTE,
    '# Whether one of these words stands before the one to be completed.',
    '_s3ql_given() {',
    '  local given choice',
    '  for given in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do for choice; do [[ $given == "$choice" ]] && return; done; done',
    '  return 1',
    '}',
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
    '      local word=${COMP_WORDS[COMP_CWORD]}',
    `      if ((COMP_CWORD == 1)); then ${bashReply(`-W "${commands.map(({ name }) => name).join(' ')} --help --version"`)}`,
    '      else _s3ql_command "${COMP_WORDS[1]}"; fi ;;',
    '  esac',
    '}',
    `complete -F _s3ql s3ql ${programs.map(({ program }) => program).join(' ')}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** A line per word: names of files may have spaces. */
function bashReply(what: string): string {
  return `mapfile -t COMPREPLY < <(compgen ${what} -- "$word")`;
}

function bashValue({ choices, completes }: Pick<DescribedOption, 'choices' | 'completes'>): string {
  if (choices.length > 0) return bashReply(`-W "${choices.join(' ')}"`);
  if (completes === 'directory') return bashReply('-d');
  if (completes === 'file') return bashReply('-f');
  return 'COMPREPLY=()';
}

export function zshCompletions(commands: readonly DescribedCommand[]): string {
  const programs = ownPrograms(commands);
  const functions = commands.map((command) => {
    const options = command.options.map((option) => `    ${zshOption(option)} \\`);
    const last = command.arguments.at(-1);
    const positional = command.arguments.map(
      ({ name, completes, choices = [] }, index) =>
        `    '${last?.variadic === true && index === command.arguments.length - 1 ? '*' : index + 1}:${name.replaceAll(':', String.raw`\:`)}:${zshAction(choices, completes)}'`,
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
      ...actionsOf(command).flatMap((actions) => fishActions(command, actions.join(' '))),
      ...command.options.map((option) => `complete -c s3ql -n '__fish_seen_subcommand_from ${command.name}' ${fishOption(option)}`),
      ...(command.program === `s3ql ${command.name}`
        ? []
        : command.options.map((option) => `complete -c ${command.program} ${fishOption(option)}`)),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

function fishActions({ name, program }: DescribedCommand, actions: string): string[] {
  const first = `not __fish_seen_subcommand_from ${actions}`;
  return [
    `complete -c s3ql -n '__fish_seen_subcommand_from ${name}; and ${first}' -f -a '${actions}'`,
    `complete -c ${program} -n '${first}' -f -a '${actions}'`,
  ];
}

function fishOption({ names, value, description, choices, completes }: DescribedOption): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(' ');
  const required = value === undefined ? '' : ' -r';
  const files = value === undefined || completes !== undefined ? '' : ' -f';
  const list = choices.length > 0 ? ` -a ${fishQuote(choices.join(' '))}` : '';
  return `${flags}${required}${files}${list} -d ${fishQuote(description)}`;
}

/** What the first argument may be, if that is one of a few words: none, or one list. */
function actionsOf({ arguments: [first] }: DescribedCommand): ReadonlyArray<readonly string[]> {
  return first?.choices === undefined ? [] : [first.choices];
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
