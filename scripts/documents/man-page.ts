/** Manual pages. Source: groff_man(7). */
import type { DescribedCommand } from './described-option.ts';

/** A command's manual page. */
export function manPage(command: DescribedCommand, version: string): string {
  const { program, summary, description } = command;
  const title = pageTitle(program);
  const lines = [
    String.raw`.\" Made by scripts/generate-docs.ts from the tables in src/cli: change those.`,
    `.TH "${escape(title.toUpperCase())}" "1" "" "s3ql ${escape(version)}" "S3QL"`,
    '.SH NAME',
    String.raw`${escape(title)} \- ${escape(lowerFirst(summary))}`,
    '.SH SYNOPSIS',
    String.raw`.B ${escape(program)}`,
    escape(command.usage.slice(program.length + 1)),
    '.SH DESCRIPTION',
    ...description.flatMap((paragraph, index) => (index === 0 ? [escape(paragraph)] : ['.PP', escape(paragraph)])),
    '.SH ARGUMENTS',
    ...command.arguments.flatMap(({ name, description }) => tagged(String.raw`\fI${escape(name)}\fR`, `${description}.`)),
    '.SH OPTIONS',
    ...command.options.flatMap(({ names, value, fallback, repeatable, description }) => {
      const argument = value === undefined ? '' : String.raw` \fI${escape(value)}\fR`;
      const notes = [repeatable ? ' May be repeated.' : '', fallback === undefined ? '' : ` Default: ${fallback}.`].join('');
      return tagged(names.map((name) => String.raw`\fB${escape(name)}\fR${argument}`).join(', '), `${description}.${notes}`);
    }),
    '.SH EXIT STATUS',
    ...command.exitCodes.flatMap(({ code, meaning }) => tagged(String(code), `${meaning}.`)),
    '.SH SEE ALSO',
    String.raw`.BR s3ql (1)`,
  ];
  return `${lines.join('\n')}\n`;
}

/** The manual page of `s3ql` itself. */
export function umbrellaManPage(commands: readonly DescribedCommand[], version: string): string {
  const lines = [
    String.raw`.\" Made by scripts/generate-docs.ts from the tables in src/cli: change those.`,
    `.TH "S3QL" "1" "" "s3ql ${escape(version)}" "S3QL"`,
    '.SH NAME',
    String.raw`s3ql \- a POSIX file system on object storage`,
    '.SH SYNOPSIS',
    '.B s3ql',
    escape('<command> [options]'),
    '.SH DESCRIPTION',
    'Data is de-duplicated, compressed and encrypted before it leaves the machine. Each command has a manual page of its own.',
    '.SH COMMANDS',
    ...commands.flatMap(({ name, program, summary }) =>
      tagged(String.raw`\fB${escape(name)}\fR`, program === `s3ql ${name}` ? `${summary}.` : `${summary}; the same as ${program}.`),
    ),
    '.SH SEE ALSO',
    commands.map(({ program }) => String.raw`.BR ${escape(pageTitle(program))} (1)`).join('\n'),
  ];
  return `${lines.join('\n')}\n`;
}

/** `s3ql-backup` for `s3ql backup`. */
export function pageTitle(program: string): string {
  return program.replaceAll(' ', '-');
}

function tagged(tag: string, text: string): string[] {
  return ['.TP', tag, escape(text)];
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** Backslashes and dashes have a meaning everywhere, dots and apostrophes at the start of a line. */
function escape(text: string): string {
  return text
    .replaceAll('\\', String.raw`\e`)
    .replaceAll('-', String.raw`\-`)
    .replace(/^[.']/, String.raw`\&$&`);
}
