/**
 * Entry of all programs: `main.ts PROGRAM ARGUMENTS...`. Loads the one command that was asked for, and decides what is seen of an error.
 */
import { EXIT_BROKEN_PIPE, EXIT_OK } from './cli/exit-codes.ts';
import { findCommand, type CommandModule } from './commands/registry.ts';

const [program = 's3ql', ...argv] = process.argv.slice(2);

// Nobody reads on: there is nothing left to say.
process.stdout.on('error', () => process.exit(EXIT_BROKEN_PIPE));
// A terminal that was closed must not end a mount.
process.stderr.on('error', () => undefined);
process.on('uncaughtException', (error) => void fail(error));

async function load(): Promise<CommandModule> {
  const command = findCommand(program);
  return command === undefined ? import('./commands/umbrella.ts') : command.load();
}

async function fail(error: unknown): Promise<never> {
  const { describeError, formatErrorReport } = await import('./cli/report-error.ts');
  const report = describeError(error);
  process.stderr.write(formatErrorReport(report, argv.includes('--json')));
  process.exit(report.exitCode);
}

/** Ends the process once everything written to stdout has been taken, or refused. */
function exit(exitCode: number): void {
  process.stdout.write('', (error) => process.exit(error ? EXIT_BROKEN_PIPE : exitCode));
}

try {
  const command = await load();
  exit(await command.run(argv));
} catch (error) {
  const { InformationRequest } = await import('./cli/parse-command.ts');
  if (!(error instanceof InformationRequest)) await fail(error);
  else {
    process.stdout.write(error.text);
    exit(EXIT_OK);
  }
}
