import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { documents } from '../../scripts/documents/documents.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const files = await documents();

test.each([...files.keys()])('%s is as the tables say (else: node scripts/generate-docs.ts)', (path) => {
  expect(readFileSync(join(ROOT, path), 'utf8')).toBe(files.get(path));
});

test('there are no pages of commands that do not exist', () => {
  const found = ['docs/commands', 'man', 'completions'].flatMap((directory) =>
    readdirSync(join(ROOT, directory)).map((name) => `${directory}/${name}`),
  );
  expect(found.filter((path) => !files.has(path))).toEqual([]);
});

test('package.json installs every manual page', () => {
  const { man } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { man: string[] };
  expect(man.sort()).toEqual([...files.keys()].filter((path) => path.startsWith('man/')).sort());
});

function completed(...words: readonly string[]): string[] {
  const script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _s3ql; printf "%s\\n" "${COMPREPLY[@]}"';
  const { stdout } = spawnSync('bash', ['-c', script, 'bash', join(ROOT, 'completions/s3ql.bash'), ...words], { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line !== '');
}

test('bash completes commands, options and values', () => {
  expect(completed('s3ql', 'um')).toEqual(['umount']);
  expect(completed('s3ql', 'umount', '--la')).toEqual(['--lazy']);
  expect(completed('/usr/bin/s3qlstat', '--ra')).toEqual(['--raw']);
  expect(completed('s3qlstat', '--debug-modules', 'x')).toEqual([]);
});
