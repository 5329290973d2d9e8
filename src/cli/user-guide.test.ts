/** What the user guide says of options, exit codes and messages is so in the code. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../commands/registry.ts';
import { EXIT_CODES } from './exit-codes.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ALWAYS = ['--help', '--version'];

const optionsByProgram = new Map(
  await Promise.all(
    COMMANDS.map(async (command): Promise<[string, ReadonlySet<string>]> => {
      const spec = await command.spec();
      const names = Object.values(spec.options).flatMap(({ long, short }) => [long, short].filter((name) => name !== undefined));
      return [spec.program, new Set([...names, ...ALWAYS])];
    }),
  ),
);
const pages = ['README.md', ...globSync('docs/*.md', { cwd: ROOT }), ...globSync('docs/guide/*.md', { cwd: ROOT })].filter(
  (page) => page !== 'docs/performance.md' && page !== 'docs/testing.md',
);
const textOf = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

/** Commands of ours with what follows them, in code blocks and between backticks. */
function commandLines(text: string): Array<{ program: string; words: readonly string[] }> {
  const code = [...text.matchAll(/```[a-z]*\n([^]*?)```|`([^`]+)`/g)].flatMap(([, block, inline]) =>
    (block ?? inline ?? '').split(/\n|&&|;|\|/),
  );
  return code.flatMap((line) => {
    const words = line
      .trim()
      .replace(/^[$#] /, '')
      .replace(/^.*ExecStart=\/usr\/bin\//, '')
      .split(/\s+/);
    const program = [words.slice(0, 2).join(' '), words[0] ?? ''].find((name) => optionsByProgram.has(name));
    return program === undefined ? [] : [{ program, words }];
  });
}

describe.each(pages)('%s', (page) => {
  const text = textOf(page);

  test('names only options that the command has', () => {
    const wrong = commandLines(text).flatMap(({ program, words }) =>
      words
        .filter((word) => /^--[a-z]/.test(word))
        .map((word) => word.replace(/[=,.:].*$/, ''))
        .filter((word) => optionsByProgram.get(program)?.has(word) !== true)
        .map((word) => `${program} ${word}`),
    );
    expect(wrong).toEqual([]);
  });

  test('names only options that some command has', () => {
    const known = new Set([...optionsByProgram.values()].flatMap((names) => [...names]));
    const named = [...text.matchAll(/`(--[a-z][a-z-]+)/g)].map(([, name]) => name ?? '');
    // Of other programs: npm, rsync, ssh.
    expect(named.filter((name) => !known.has(name) && !['--foreground'].includes(name))).toEqual([]);
  });

  test('names only exit codes that there are', () => {
    const codes = new Set(EXIT_CODES.map(({ code }) => code));
    const named = [...text.matchAll(/\b[Ee]xit code (\d+)/g)].map(([, code]) => Number(code));
    expect(named.filter((code) => !codes.has(code))).toEqual([]);
  });

  test('links only to pages that exist', () => {
    const targets = [...text.matchAll(/\]\(([^)#:]+)(#[^)]*)?\)/g)].map(([, target]) => join(page, '..', target ?? ''));
    expect(targets.filter((target) => globSync([target, `${target}/README.md`], { cwd: ROOT }).length === 0)).toEqual([]);
  });
});

/** All source in one line of text: texts that are added up are joined, and `…` stands for what is filled in. */
function sourceText(): string {
  const files = globSync('src/**/*.ts', { cwd: ROOT }).filter((path) => !path.endsWith('.test.ts'));
  return files
    .map((path) => readFileSync(join(ROOT, path), 'utf8'))
    .join('\n')
    .replaceAll(/['`]\s*\+\s*['`]/g, '')
    .replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, '…')
    .replaceAll(/%[sd]/g, '…')
    .replaceAll("\\'", "'");
}

test('every message that the troubleshooting page explains occurs in the code', () => {
  // In the code a message may be a clause; as an error it begins with a capital.
  const source = sourceText().toLowerCase();
  const messages = [...textOf('docs/guide/troubleshooting.md').matchAll(/^### `(.*)`$/gm)].map(([, message]) =>
    (message ?? '').toLowerCase(),
  );
  expect(messages.length).toBeGreaterThan(25);
  expect(messages.filter((message) => !source.includes(message.replaceAll(/^… | …$/g, '').replace(/^…|…$/, '')))).toEqual([]);
});
