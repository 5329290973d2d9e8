/** Turns a row into one batch of system calls and compares the outcomes with what the row says. */
import { inspect, isDeepStrictEqual } from 'node:util';
import type { SyscallAgent } from '../support/syscall-agent.ts';
import { O_RDONLY } from '../support/syscalls/constants.ts';
import type { FileAttributes } from '../support/syscalls/file-attributes.ts';
import type { Outcome } from '../support/syscalls/outcome.ts';
import type { Call } from '../support/syscalls/system-calls.ts';
import { ROOT } from '../support/users.ts';
import type { Row } from './row.ts';

const LARGEST_CONTENT_BYTES = 65_536;

/** Collects calls; what `add` returns looks up their outcomes later. */
class Batch {
  readonly calls: Call[] = [];
  outcomes: readonly Outcome[] = [];

  add(calls: readonly Call[]): () => Array<{ readonly call: Call; readonly outcome: Outcome }> {
    const start = this.calls.length;
    this.calls.push(...calls);
    return () => calls.map((call, index) => ({ call, outcome: this.outcomes[start + index] as Outcome }));
  }
}

/** In which ways the file system does not do what the row says: none if all is well. `directory` must not exist yet. */
export async function runRow(agent: SyscallAgent, directory: string, row: Row): Promise<string[]> {
  const batch = new Batch();
  const watched = Object.keys(row.times ?? {});
  const become: Call[] = [
    ['umask', row.umask ?? 0],
    ['become', row.as ?? ROOT],
  ];
  const setup = batch.add([['mkdir', directory, 0o755], ['chdir', directory], ...(row.setup ?? [])]);
  const steps = batch.add([...become, ...(row.steps ?? []), ['become', ROOT]]);
  const before = batch.add(lstats(['.', ...watched]));
  batch.add([...(watched.length > 0 ? [['tick'] as const] : []), ...become]);
  const called = batch.add([row.call]);
  batch.add([['become', ROOT]]);
  const after = batch.add(lstats(['.', ...watched]));
  const states = batch.add(lstats(Object.keys(row.after ?? {})));
  const contents = Object.entries(row.contents ?? {}).map(([path, expected], index) => ({
    path,
    expected,
    read: batch.add(readAll(path, `content ${index}`)),
  }));
  batch.outcomes = await agent.run(batch.calls);

  const failures = [...setup(), ...steps()].filter(({ outcome }) => outcome.error !== undefined);
  if (failures.length > 0) return failures.map(({ call, outcome }) => `preparation ${inspect(call)}: ${outcome.error}`);
  const [entry, ...watchedBefore] = before().map(({ outcome }) => outcome);
  const [entryAfter, ...watchedAfter] = after().map(({ outcome }) => outcome);
  return [
    ...judgeCall(row, (called()[0] as { outcome: Outcome }).outcome),
    ...(row.error === undefined ? [] : judgeUntouched(entry, entryAfter)),
    ...watched.flatMap((path, index) => judgeTimes(path, row.times?.[path] as string, watchedBefore[index], watchedAfter[index])),
    ...Object.entries(row.after ?? {}).flatMap(([path, expected], index) => judgeState(path, expected, states()[index]?.outcome)),
    ...contents.flatMap(({ path, expected, read }) => different(`content of ${path}`, expected, textOf(read()[1]?.outcome))),
  ];
}

function lstats(paths: readonly string[]): Call[] {
  return paths.map((path) => ['lstat', path]);
}

function readAll(path: string, slot: string): Call[] {
  return [
    ['open', path, O_RDONLY, 0, slot],
    ['read', slot, LARGEST_CONTENT_BYTES],
    ['close', slot],
  ];
}

function different(what: string, expected: unknown, actual: unknown): string[] {
  return isDeepStrictEqual(expected, actual) ? [] : [`${what}: expected ${inspect(expected)}, got ${inspect(actual)}`];
}

function judgeCall(row: Row, outcome: Outcome): string[] {
  const [name] = row.call;
  return [
    ...different(name, row.error ?? 'success', outcome.error ?? 'success'),
    ...(row.result === undefined ? [] : different(`result of ${name}`, BigInt(row.result), BigInt(outcome.result))),
    ...(row.text === undefined ? [] : different(`bytes of ${name}`, row.text, textOf(outcome))),
    ...(row.data === undefined ? [] : differentParts(`data of ${name}`, row.data, outcome.data)),
  ];
}

/** Objects may have more than is expected of them; all else is compared whole. */
function differentParts(what: string, expected: unknown, actual: unknown): string[] {
  if (typeof expected !== 'object' || expected === null || Array.isArray(expected) || typeof actual !== 'object' || actual === null) {
    return different(what, expected, actual);
  }
  return Object.entries(expected).flatMap(([key, value]) => different(`${what}: ${key}`, value, (actual as Record<string, unknown>)[key]));
}

/** A call that failed added nothing to the directory and took nothing from it. */
function judgeUntouched(before: Outcome | undefined, after: Outcome | undefined): string[] {
  const essence = ({ nlink, mtimeNs, ctimeNs }: FileAttributes): unknown => ({ nlink, mtimeNs, ctimeNs });
  return different('the directory after a failure', essence(attributesOf(before)), essence(attributesOf(after)));
}

function judgeTimes(path: string, expected: string, before: Outcome | undefined, after: Outcome | undefined): string[] {
  const old = attributesOf(before);
  const now = attributesOf(after);
  const moved = [old.atimeNs === now.atimeNs ? '' : 'a', old.mtimeNs === now.mtimeNs ? '' : 'm', old.ctimeNs === now.ctimeNs ? '' : 'c'];
  return different(`times of ${path} that moved`, expected, moved.join(''));
}

function judgeState(path: string, expected: Partial<FileAttributes> | 'absent', outcome: Outcome | undefined): string[] {
  return expected === 'absent' ? different(path, 'ENOENT', outcome?.error) : differentParts(path, expected, attributesOf(outcome));
}

function textOf(outcome: Outcome | undefined): string | undefined {
  return outcome?.data === undefined ? outcome?.error : Buffer.from(outcome.data as Uint8Array).toString();
}

function attributesOf(outcome: Outcome | undefined): FileAttributes {
  if (outcome?.data === undefined) throw new Error(`lstat failed: ${outcome?.error}`);
  return outcome.data as FileAttributes;
}
