/** Pages of docs/commands. */
import type { ExitCodeEntry } from '../../src/cli/exit-codes.ts';
import type { DescribedCommand, DescribedOption } from './described-option.ts';

const NOTE = '<!-- Made by scripts/generate-docs.ts from the tables in src/cli: change those. -->\n';

/** A command's page. */
export function commandPage(command: DescribedCommand): string {
  const { program, name, description, usage } = command;
  const also = program === `s3ql ${name}` ? '' : `Also called as \`s3ql ${name}\`.\n\n`;
  return [
    NOTE,
    `# ${program}\n`,
    `${command.summary}.\n`,
    `\`\`\`\n${usage}\n\`\`\`\n`,
    `${also}${description.map(escapeCell).join('\n\n')}\n`,
    table(
      ['argument', ''],
      command.arguments.map(({ name, description }) => [`\`${name}\``, escapeCell(description)]),
    ),
    '## Options\n',
    table(['option', 'default', ''], command.options.map(optionRow)),
    '## Exit codes\n',
    table(
      ['code', 'meaning'],
      command.exitCodes.map(({ code, meaning }) => [String(code), escapeCell(meaning)]),
    ),
  ].join('\n');
}

/** The list of all commands. */
export function commandsPage(commands: readonly DescribedCommand[]): string {
  const rows = commands.map(({ program, name, summary }) => [
    `[${program}](${pageName(program)})`,
    `\`s3ql ${name}\``,
    escapeCell(summary),
  ]);
  return [NOTE, '# Commands\n', table(['program', 'also', ''], rows)].join('\n');
}

/** The page of all exit codes. */
export function exitCodesPage(codes: readonly ExitCodeEntry[]): string {
  const rows = codes.map(({ code, meaning, commands }) => [String(code), escapeCell(meaning), users(commands)]);
  return [NOTE, '# Exit codes\n', table(['code', 'meaning', 'commands'], rows)].join('\n');
}

/** File name of a program's page. */
export function pageName(program: string): string {
  return `${program.replaceAll(' ', '-')}.md`;
}

function users(commands: ExitCodeEntry['commands']): string {
  if (commands === 'all') return 'all';
  if (commands === 'storage') return 'all that take a storage URL';
  if (commands === 'file-system') return 'all that take a storage URL, but mkfs';
  if (commands === 'log') return 'all with `--log`';
  return commands.join(', ');
}

function optionRow({ names, value, fallback, repeatable, description }: DescribedOption): string[] {
  const flags = names.map((name) => `\`${value === undefined ? name : `${name} <${value}>`}\``).join(', ');
  return [flags, escapeCell(fallback ?? ''), escapeCell(repeatable ? `${description} (may be repeated)` : description)];
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return `${line(header)}${line(header.map(() => '---'))}${rows.map(line).join('')}`;
}

function escapeCell(text: string): string {
  return text.replaceAll(/[|<>*_]/g, String.raw`\$&`);
}
