/**
 * What holds for every command: its help and manual page are its table, mistakes are one line and the documented exit code, as JSON if that is
 * asked for, and nothing has changed afterwards.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AnyCommandSpec } from '../../src/cli/options/option.ts';
import { InformationRequest } from '../../src/cli/parse-command.ts';
import { describeError, formatErrorReport } from '../../src/cli/report-error.ts';
import { version } from '../../src/cli/version.ts';
import { COMMANDS, type CommandEntry } from '../../src/commands/registry.ts';
import { MountedFileSystem, runCommand } from '../support/mounted-file-system.ts';
import { runProgram, type ProgramResult } from '../support/run-program.ts';
import { STRANGER } from '../support/users.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const specs = new Map(
  await Promise.all(COMMANDS.map(async (command): Promise<[string, AnyCommandSpec]> => [command.name, await command.spec()])),
);
const specOf = ({ name }: CommandEntry): AnyCommandSpec => specs.get(name) as AnyCommandSpec;

/** As a reader sees it, without bold type and hyphenation. */
function manualPage(program: string): { text: string; problems: string } {
  const path = join(ROOT, 'man', `${program.replace(' ', '-')}.1`);
  const env = { ...process.env, MANWIDTH: '200', LC_ALL: 'C.UTF-8' };
  const { stdout, stderr } = spawnSync('man', ['--warnings', '--no-hyphenation', '-l', path], { encoding: 'utf8', env });
  return { text: stdout.replaceAll(/.[\b]/g, '').replaceAll(/[\u2010\u2212]/g, '-'), problems: stderr };
}

/** What comes of a command line that is wrong in itself: nothing is begun. */
async function refusedLine(command: CommandEntry, argv: readonly string[]): Promise<{ exitCode: number; text: string }> {
  try {
    await (await command.load()).run(argv);
  } catch (error) {
    if (error instanceof InformationRequest) return { exitCode: 0, text: error.text };
    const report = describeError(error);
    return { exitCode: report.exitCode, text: formatErrorReport(report, argv.includes('--json')) };
  }
  throw new Error(`${command.name} ${argv.join(' ')} was not refused`);
}

describe.each(COMMANDS.map((command) => [specOf(command).program, command] as const))('%s', (program, command) => {
  const spec = specOf(command);
  const required = Object.values(spec.arguments).filter(({ optional = false }) => !optional);

  test('--help shows every option and argument of its table, and --version the version', async () => {
    const { exitCode, text } = await refusedLine(command, ['--help']);
    expect(exitCode).toBe(0);
    const names = Object.values(spec.options).flatMap(({ long, short }) => [long, short].filter((name) => name !== undefined));
    for (const name of names) expect(text).toMatch(new RegExp(`(^|[ ,])${name}\\b`, 'm'));
    for (const { name } of Object.values(spec.arguments)) expect(text).toContain(name);
    expect(await refusedLine(command, ['--version'])).toEqual({ exitCode: 0, text: `${program} ${version()}\n` });
  });

  test('takes the options that all commands have', () => {
    const names = Object.values(spec.options).map(({ long }) => long);
    expect(names).toEqual(expect.arrayContaining(['--json', '--quiet', '--debug', '--debug-modules']));
  });

  test('an unknown option is one line and exit code 2, as JSON if that is asked for', async () => {
    expect(await refusedLine(command, ['--frobnicate'])).toEqual({
      exitCode: 2,
      text: expect.stringMatching(/^error: Unknown option '--frobnicate'.*\n$/) as string,
    });
    const { text } = await refusedLine(command, ['--frobnicate', '--json']);
    expect(JSON.parse(text)).toEqual({ error: { message: expect.stringContaining('--frobnicate') as string, exitCode: 2 } });
  });

  test.each(required.slice(0, 1))('a missing argument, <%s>, is one line and exit code 2', async () => {
    expect(await refusedLine(command, [])).toEqual({ exitCode: 2, text: expect.stringMatching(/^error: .*\n$/) as string });
  });

  test('its manual page renders', () => {
    const longNames = Object.values(spec.options).flatMap(({ long }) => (long === undefined ? [] : [long]));
    const page = manualPage(program);
    expect(page.problems).toBe('');
    for (const name of longNames) expect(page.text).toContain(name);
  });
});

describe('commands that open a store', () => {
  let directory: string;
  let url: string;
  let storeDirectory: string;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 's3ql-every-'));
    storeDirectory = join(directory, 'store');
    url = `local://${storeDirectory}`;
    mkdirSync(storeDirectory);
    mkdirSync(join(directory, 'empty'));
    mkdirSync(join(directory, 'mnt'));
    writeFileSync(join(directory, 'readable'), '[x]\nstorage-url: local://\n', { mode: 0o644 });
    writeFileSync(join(directory, 'nonsense'), 'no section\n', { mode: 0o600 });
    writeFileSync(join(directory, 'file'), '');
    writeFileSync(join(directory, 'list'), 's3ql_data_1\n');
    mkdirSync(join(directory, 'clone'));
    const made = await run(['mkfs', '--plain'], url);
    if (made.exitCode !== 0) throw new Error(made.stderr);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  type Line = readonly [
    name: string,
    before: readonly string[],
    after: (directory: string) => readonly string[],
    /** Exit codes that the command has no use for. */
    without?: readonly number[],
  ];
  /** Of every command that takes a storage URL, with all other arguments it needs. */
  const lines: readonly Line[] = [
    ['mkfs', ['--plain'], () => [], [18]],
    ['mount', [], (at) => [join(at, 'mnt')]],
    ['fsck', ['--log', 'none'], () => []],
    ['verify', [], () => []],
    ...['passphrase', 'recover-key', 'clear', 'shrink-db', 'upgrade', 'info', 'restore-metadata'].map(
      (action) => [`adm ${action}`, [], () => []] as const,
    ),
    ['ls', [], () => []],
    ['cat', [], () => []],
    ['find', [], () => []],
    ['du', [], () => []],
    ['get', [], (at) => [join(at, 'out')]],
    ['put', [fileURLToPath(import.meta.url)], () => []],
    ['adm clone', [], (at) => ['--to', `local://${join(at, 'clone')}`]],
    ['benchmark', [], () => [fileURLToPath(import.meta.url)], [18]],
    // These know objects only, no file system, and need no local copy of anything.
    ['check-store', [], () => [], [18, 45]],
    ['remove-objects', [], (at) => [join(at, 'list')], [18, 45]],
  ];

  test('all commands that take a storage URL are in the table', () => {
    const named = new Set(lines.map(([name]) => name.split(' ')[0]));
    const takeUrls = COMMANDS.filter(
      (command) => '--authfile' in Object.fromEntries(Object.values(specOf(command).options).map((option) => [option.long, 1])),
    );
    expect(takeUrls.map(({ name }) => name).filter((name) => !named.has(name))).toEqual([]);
  });

  function run(
    command: readonly string[],
    storageUrl: string,
    after: readonly string[] = [],
    options: readonly string[] = [],
  ): Promise<ProgramResult> {
    const [name = '', action] = command[0]?.split(' ') ?? [];
    const cachedir = ['check-store', 'remove-objects'].includes(name) ? [] : ['--cachedir', join(directory, 'cache')];
    const common = [...cachedir, '--authfile', join(directory, 'none'), ...options];
    const words = [name, ...common, ...(action === undefined ? [] : [action]), ...command.slice(1), storageUrl, ...after];
    return runProgram(join(ROOT, 'bin/s3ql'), words, { input: 'no\n', cwd: directory });
  }

  const snapshot = (): string[] =>
    readdirSync(storeDirectory, { recursive: true }).map(
      (name) => `${String(name)} ${statSync(join(storeDirectory, String(name))).mtimeMs}`,
    );

  test.each(lines.map(([name, before, after, without = []]) => [name, before, after, without] as const))(
    's3ql %s: mistakes are one line and the documented exit code, and change nothing',
    async (name, before, after, without) => {
      const untouched = snapshot();
      const all: ReadonlyArray<readonly [exitCode: number, url: string, options?: readonly string[]]> = [
        [2, 'gopher://x'],
        [2, url, ['--authfile', join(directory, 'nonsense')]],
        [3, url, ['--backend-options', 'frobnicate']],
        [12, url, ['--authfile', join(directory, 'readable')]],
        [16, `${url}/missing`],
        [18, `local://${join(directory, 'empty')}`],
        [45, url, ['--cachedir', join(directory, 'file')]],
      ];
      const cases = all.filter(([exitCode]) => !without.includes(exitCode));
      const results = await Promise.all(
        cases.map(async ([exitCode, storageUrl, options]) => {
          const json = storageUrl.startsWith('gopher') ? ['--json'] : [];
          const result = await run([name, ...before], storageUrl, after(directory), [...(options ?? []), ...json]);
          return { what: [exitCode, storageUrl, ...(options ?? [])].join(' '), exitCode, json: json.length > 0, result };
        }),
      );
      for (const { what, exitCode, json, result } of results) {
        expect({ what, exitCode: result.exitCode, stdout: result.stdout }).toEqual({ what, exitCode, stdout: '' });
        expect(result.stderr).toMatch(json ? /^\{"error":\{"message":"[^\n]+","exitCode":2\}\}\n$/ : /^error: [^\n\p{Cc}]+\n$/u);
      }
      expect(snapshot()).toEqual(untouched);
      expect(readdirSync(join(directory, 'empty'))).toEqual([]);
      expect(readdirSync(join(directory, 'clone'))).toEqual([]);
    },
  );

  /** Files of this machine that commands read or write besides. */
  const files: ReadonlyArray<readonly [what: string, exitCode: number, command: readonly string[], after?: readonly string[]]> = [
    ['a log that cannot be written', 10, ['fsck', '--log', '/missing/log']],
    ['a log that cannot be written', 10, ['verify', '--log', '/missing/log']],
    ['a log that cannot be written', 10, ['ls', '--log', '/missing/log']],
    ['a list that cannot be written', 1, ['verify', '--quiet', '--missing-file', '/missing/list']],
    ['a list that is there already', 1, ['verify', '--corrupted-file', fileURLToPath(import.meta.url)]],
    ['a file of data that does not exist', 1, ['benchmark'], ['/missing']],
    ['a directory instead of data', 1, ['benchmark'], ['/etc']],
    ['a list of objects that does not exist', 1, ['remove-objects'], ['/missing']],
    ['a directory instead of a list', 1, ['remove-objects'], ['/etc']],
    ['a list of other things', 1, ['remove-objects'], [fileURLToPath(import.meta.url)]],
    ['a place for the clone that does not exist', 16, ['adm clone'], ['--to', 'local:///missing']],
    ['a clone at its own place', 2, ['adm clone'], ['--to', 'itself']],
    ['a mountpoint that does not exist', 36, ['mount'], ['/missing']],
    ['a mountpoint that is a file', 36, ['mount'], [fileURLToPath(import.meta.url)]],
    ['a target in a directory that does not exist', 1, ['get'], ['/missing/target']],
  ];
  test.each(files.map(([what, exitCode, command, after = []]) => [what, exitCode, command, after] as const))(
    '%s: exit code %i (s3ql %j)',
    async (_what, exitCode, command, after) => {
      const untouched = snapshot();
      const result = await run(
        command,
        url,
        after.map((word) => (word === 'itself' ? url : word)),
      );
      expect({ exitCode: result.exitCode, stdout: result.stdout }).toEqual({ exitCode, stdout: '' });
      expect(result.stderr).toMatch(/^error: [^\n\p{Cc}]+\n$/u);
      expect(snapshot()).toEqual(untouched);
    },
  );

  test('colours errors and shows progress on terminals only, and no colour with NO_COLOR', async () => {
    const onTerminal = async (env: NodeJS.ProcessEnv): Promise<string> => {
      const line = `${join(ROOT, 'bin/s3ql')} ls --cachedir ${join(directory, 'cache')} --authfile ${join(directory, 'none')} ${url}:/missing`;
      const { stdout } = await runProgram('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
        env: { ...process.env, TERM: 'xterm', ...env },
      });
      return stdout;
    };
    // What keeps Node from colours, or makes it colour everything.
    const neutral = { NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined };
    expect(await onTerminal(neutral)).toContain('\u001B[31mERROR: \u001B[39m');
    expect(await onTerminal({ ...neutral, NO_COLOR: '1' })).toMatch(/(^|\n|K)ERROR: \/missing/);
  });
});

describe('commands that speak to a mount', () => {
  let system: MountedFileSystem;
  let crashed: MountedFileSystem;
  beforeAll(async () => {
    system = await MountedFileSystem.create({ mountArguments: [] });
    mkdirSync(join(system.mountpoint, 'tree'));
    chmodSync(system.mountpoint, 0o755);
    crashed = await MountedFileSystem.create();
    mkdirSync(join(crashed.mountpoint, 'tree'));
    await crashed.kill();
  });
  afterAll(async () => {
    await system[Symbol.asyncDispose]();
    await crashed[Symbol.asyncDispose]();
  });

  const lines: ReadonlyArray<readonly [program: string, args: (at: string) => readonly string[]]> = [
    ['s3qlstat', (at) => [at]],
    ['s3qlctrl', (at) => ['flushcache', at]],
    ['s3qlctrl', (at) => ['dropcache', at]],
    ['s3qlctrl', (at) => ['backup-metadata', at]],
    ['s3qlctrl', (at) => ['cachesize', at, '1000']],
    ['s3qlctrl', (at) => ['log', at, 'info']],
    ['s3qlctrl', (at) => ['upload-limit', at, '1M']],
    ['s3qlctrl', (at) => ['download-limit', at, '1M']],
    ['s3ql', (at) => ['backup', '/etc/default', at]],
    ['s3qlcp', (at) => [join(at, 'tree'), join(at, 'copy')]],
    ['s3qllock', (at) => [join(at, 'tree')]],
    ['s3qlrm', (at) => [join(at, 'tree')]],
    ['umount.s3ql', (at) => [at]],
  ];

  async function refusal(program: string, args: readonly string[], uid?: number): Promise<string> {
    const result = await runCommand(program, args, uid === undefined ? {} : { uid, gid: uid });
    expect({ ...result, stderr: '' }).toEqual({ exitCode: 1, signal: null, stdout: '', stderr: '' });
    expect(result.stderr).toMatch(/^error: [^\n]+\n$/);
    const [first = '', ...others] = args;
    // `s3ql COMMAND` takes options behind the command.
    const jsonArgs = program === 's3ql' ? [first, '--json', ...others] : ['--json', ...args];
    const asJson = await runCommand(program, jsonArgs, uid === undefined ? {} : { uid, gid: uid });
    expect(JSON.parse(asJson.stderr)).toEqual({ error: { message: result.stderr.slice('error: '.length, -1), exitCode: 1 } });
    return result.stderr;
  }

  test.each(lines)('%s: no mount, somebody else’s, none at all (%#)', async (program, args) => {
    const elsewhere = join(system.directory, 'elsewhere');
    mkdirSync(join(elsewhere, 'tree'), { recursive: true });
    expect(await refusal(program, args(elsewhere))).toMatch(/is not (in a mounted S3QL file system|a mountpoint)/);
    expect(await refusal(program, args(join(system.directory, 'missing')))).toMatch(/does not exist|is not a mountpoint/);
    expect(await refusal(program, args(system.mountpoint), STRANGER.uid)).toMatch(/only the user who mounted|not the user who mounted/);
    expect(readdirSync(system.mountpoint).sort()).toEqual(['lost+found', 'tree']);
    expect(readdirSync(elsewhere)).toEqual(['tree']);
  });

  test.each(lines.filter(([program]) => program !== 'umount.s3ql'))('%s: a mount whose process has died (%#)', async (program, args) => {
    expect(await refusal(program, args(crashed.mountpoint))).toMatch(
      /The process that served .* has died: take the mount away with umount\.s3ql/,
    );
  });

  test('umount.s3ql takes a dead mount away', async () => {
    const result = await runCommand('umount.s3ql', [crashed.mountpoint]);
    expect(result).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('had died') as string });
    expect(await crashed.mountCount()).toBe(0);
  });
});
