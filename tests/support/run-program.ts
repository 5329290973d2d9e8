/** Runs a program to its end and keeps what it said. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ProgramResult {
  /** Null if a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Killed (SIGKILL) after that long, so that a hanging file system fails its test. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 120_000;

export async function runProgram(command: string, args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> {
  const { input, timeoutMs = DEFAULT_TIMEOUT_MS, ...spawnOptions } = options;
  const child = spawn(command, args, { ...spawnOptions, stdio: 'pipe', timeout: timeoutMs, killSignal: 'SIGKILL' });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A program may end without reading what it is told.
  child.stdin.on('error', () => {});
  child.stdin.end(input ?? '');
  // Not 'exit': 'close' also waits for the output, and shows a daemon that keeps its starter's pipes.
  const [exitCode, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { exitCode, signal, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
}

/** Same. @throws if the program fails */
export async function mustRun(command: string, args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> {
  const result = await runProgram(command, args, options);
  if (result.exitCode !== 0) {
    throw new Error(`${command} ${args.join(' ')}: exit ${result.signal ?? result.exitCode}\n${result.stdout}${result.stderr}`);
  }
  return result;
}
