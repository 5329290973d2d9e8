/**
 * Ordinary users make random system calls on a mount, several at once, and are killed in the middle of them. The mount must answer others all
 * the time, log no error, and be sound afterwards.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MountedFileSystem } from '../support/mounted-file-system.ts';
import { LONG } from '../support/options.ts';
import { newSeed } from '../support/random.ts';
import { SyscallAgent } from '../support/syscall-agent.ts';
import { O_CREAT, O_RDONLY, O_RDWR } from '../support/syscalls/constants.ts';
import type { Call } from '../support/syscalls/system-calls.ts';
import { Fuzzer, FuzzerStatistics } from './fuzzer.ts';

const DURATION_MS = LONG ? 600_000 : 12_000;
/** Two of one user, so that they get at the same files. */
const USERS = [21_001, 21_001, 21_002];
/** After so many looks of the watcher a fuzzer is killed, and another begins. */
const LOOKS_PER_KILL = 100;
/** A mount that has not answered by then never will. */
const FROZEN_MS = 120_000;
const CACHE_SIZE_KIB = 16_384;

/** What another user does meanwhile; all of it must succeed. */
const LOOK: readonly Call[] = [
  ['open', 'watched', O_RDWR | O_CREAT, 0o600, 'f'],
  ['write', 'f', 'still here'],
  ['pread', 'f', 10, 0],
  ['close', 'f'],
  ['stat', 'watched'],
  ['open', '.', O_RDONLY, 0, 'd'],
  ['getdents', 'd'],
  ['close', 'd'],
  ['setxattr', 'watched', 'user.x', 'y'],
  ['unlink', 'watched'],
];

async function look(agent: SyscallAgent, directory: string): Promise<void> {
  const late = AbortSignal.timeout(FROZEN_MS);
  const frozen = new Promise<never>((_, reject) => {
    late.addEventListener('abort', () => reject(new Error(`the mount has not answered for ${FROZEN_MS} ms`)), { once: true });
  });
  const outcomes = await Promise.race([agent.run([['chdir', directory], ...LOOK]), frozen]);
  expect(outcomes.map(({ error }) => error).filter((error) => error !== undefined)).toEqual([]);
}

test(
  'random system calls of ordinary users neither kill nor freeze nor damage the mount',
  async () => {
    const seed = newSeed();
    await using fileSystem = await MountedFileSystem.create({ mountArguments: ['--cachesize', String(CACHE_SIZE_KIB)] });
    const { pid } = fileSystem;
    const [playground, watched] = ['playground', 'watched'].map((name) => join(fileSystem.mountpoint, name)) as [string, string];
    const statistics = new FuzzerStatistics();
    await using agent = new SyscallAgent();
    await agent.run([
      ['mkdir', playground, 0o777],
      ['mkdir', watched, 0o700],
    ]);
    let started = 0;
    const start = (place: number): Fuzzer => {
      started += 1;
      return new Fuzzer({ root: playground, uid: USERS[place] as number, seed: seed + started }, statistics);
    };
    const fuzzers = USERS.map((_, place) => start(place));
    try {
      const endMs = performance.now() + DURATION_MS;
      for (let looks = 1; performance.now() < endMs; looks += 1) {
        await look(agent, watched);
        const place = looks % USERS.length;
        if (looks % LOOKS_PER_KILL === 0) await fuzzers[place]?.kill();
        if (fuzzers[place]?.hasEnded === true) fuzzers[place] = start(place);
      }
    } finally {
      for (const fuzzer of fuzzers) await fuzzer.kill();
    }
    expect(await fileSystem.control('get', 's3ql_pid?'), `S3QL_TEST_SEED=${seed}`).toBe(String(pid));
    expect(statistics.strangeEnds, `S3QL_TEST_SEED=${seed}`).toEqual([]);
    expect(statistics.successCount).toBeGreaterThan(0);
    await look(agent, watched);
    await rm(playground, { recursive: true });
    await agent.kill();
    expect(await fileSystem.brokenInvariants()).toEqual([]);
    const complaints = (await readFile(join(fileSystem.cacheDirectory, 'mount.log'), 'utf8'))
      .split('\n')
      .filter((line) => /error/i.test(line));
    expect(complaints, `S3QL_TEST_SEED=${seed}`).toEqual([]);
    if (LONG) console.log(`${statistics.callCount} calls, ${statistics.successCount} of them successful, ${started} processes`);
  },
  DURATION_MS + 600_000,
);
