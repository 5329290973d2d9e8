/** Completions as the shells themselves make them: all options of every command, actions, values and names of files. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_ACTION_NAMES } from '../../src/cli/options/adm.ts';
import { COMMANDS } from '../../src/commands/registry.ts';
import { installDebianPackages } from '../support/debian-packages.ts';
import { mustRun } from '../support/run-program.ts';

const COMPLETIONS = fileURLToPath(new URL('../../completions/', import.meta.url));
const ZSH_SCRIPT = fileURLToPath(new URL('support/complete.zsh', import.meta.url));
const BASH_SCRIPT =
  'source "$1"; shift; for line; do read -ra COMP_WORDS <<<"$line|"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_WORDS[-1]=${COMP_WORDS[-1]%|}; COMPREPLY=(); _s3ql; echo "### $line"; printf "%s\\n" "${COMPREPLY[@]}"; done';

let directory: string;
beforeAll(() => {
  installDebianPackages('zsh', 'fish');
  directory = mkdtempSync(join(tmpdir(), 's3ql-complete-'));
  mkdirSync(join(directory, 'my directory'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** The words of `### line` sections. */
function sections(output: string): Map<string, string[]> {
  return new Map(
    output
      .split('### ')
      .slice(1)
      .map((section) => {
        const [line = '', ...words] = section.split('\n');
        return [line, words.filter((word) => word !== '')];
      }),
  );
}

type Completer = (lines: readonly string[]) => Promise<Map<string, string[]>>;

const SHELLS: Readonly<Record<string, Completer>> = {
  async bash(lines) {
    const { stdout } = await mustRun('bash', ['-c', BASH_SCRIPT, 'bash', join(COMPLETIONS, 's3ql.bash'), ...lines], { cwd: directory });
    return sections(stdout);
  },
  async fish(lines) {
    const script = `source $argv[1]; for line in $argv[2..-1]; echo "### $line"; complete -C $line; end`;
    const { stdout } = await mustRun('fish', ['--no-config', '-c', script, join(COMPLETIONS, 's3ql.fish'), ...lines], { cwd: directory });
    // Behind a tabulator there is a description.
    return sections(stdout.replaceAll(/\t.*$/gm, ''));
  },
  async zsh(lines) {
    const { stdout } = await mustRun('zsh', [ZSH_SCRIPT, COMPLETIONS, ...lines], { cwd: directory });
    const found = sections(stdout);
    // What the terminal shows: a list with descriptions, or several words a line; a single word is put into the line itself.
    for (const [line, shown] of found) {
      const words = shown.flatMap((text) => stripVTControlCharacters(text).split(/ -- .*$|(?<!\\) +|\r/)).filter((word) => word !== '');
      found.set(line, words);
    }
    return found;
  },
};

const specs = await Promise.all(COMMANDS.map((command) => command.spec()));

describe.each(Object.entries(SHELLS))('%s completes', (_shell, completeLines) => {
  async function complete(lines: readonly string[]): Promise<Map<string, string[]>> {
    const found = await completeLines(lines);
    // Complaints about the script would be on the screen, too.
    expect([...found.values()].flat().filter((word) => /_arguments|_s3ql|not found/.test(word))).toEqual([]);
    return found;
  }

  test('every option of every command', async () => {
    const lines = [...specs.map(({ program }) => `${program} --`), ...specs.map(({ name }) => `s3ql ${name} --`)];
    const found = await complete([...new Set(lines)]);
    for (const { program, name, options } of specs) {
      const names = Object.values(options).flatMap(({ long }) => (long === undefined ? [] : [long]));
      for (const line of [`${program} --`, `s3ql ${name} --`]) {
        expect({ line, words: found.get(line) }).toEqual({
          line,
          words: expect.arrayContaining([...names, '--help', '--version']) as string[],
        });
      }
    }
  });

  test('commands, actions, values and names of files', async () => {
    const found = await complete([
      's3ql ver',
      's3ql ',
      's3qladm ',
      's3ql adm ',
      's3qlctrl fl',
      'mount.s3ql --compress ',
      'fsck.s3ql --log my',
    ]);
    const after = (line: string): string[] => found.get(line) ?? [];
    expect(after('s3ql ver')).toContain('verify');
    expect(after('s3ql ')).toEqual(expect.arrayContaining(COMMANDS.map(({ name }) => name)));
    for (const line of ['s3qladm ', 's3ql adm ']) expect(after(line)).toEqual(expect.arrayContaining([...ADMIN_ACTION_NAMES]));
    expect(after('s3qlctrl fl')).toContain('flushcache');
    expect(after('mount.s3ql --compress ')).toEqual(expect.arrayContaining(['lzma-6', 'bzip2-6', 'zlib-6', 'none']));
    expect(after('fsck.s3ql --log my').join('\n')).toMatch(/my(\\?) directory/);
  });
});
