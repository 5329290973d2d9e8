/**
 * A user of a file system, as a process: `latency-probe-main.ts DIRECTORY`. Until its standard input ends it makes, writes, stats, reads and removes a
 * small file every few milliseconds; then it prints how long each operation took (ms, JSON).
 */
import { closeSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 2;
const content = Buffer.alloc(4096, 'probe');
const path = join(process.argv[2] ?? '.', 'probe');
const latenciesMs: number[] = [];
const ending = new AbortController();
process.stdin.resume().once('end', () => ending.abort());

function timed<T>(operation: () => T): T {
  const startMs = performance.now();
  const result = operation();
  latenciesMs.push(performance.now() - startMs);
  return result;
}

while (!ending.signal.aborted) {
  const fd = timed(() => openSync(path, 'w'));
  timed(() => writeSync(fd, content));
  timed(() => closeSync(fd));
  timed(() => statSync(path));
  timed(() => readFileSync(path));
  timed(() => unlinkSync(path));
  await sleep(PAUSE_MS);
}
process.stdout.write(JSON.stringify(latenciesMs));
