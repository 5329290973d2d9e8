/**
 * The daemon is killed at random moments, while a workload runs, while it unmounts and while it recovers. After each crash the file system
 * is mounted by the ordinary command, without a question; every promise is checked, and now and then every invariant of the store.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { MountedFileSystem } from '../support/mounted-file-system.ts';
import { LONG } from '../support/options.ts';
import { Random, newSeed } from '../support/random.ts';
import { Workload } from './workload.ts';

const ROUNDS = Number(process.env.S3QL_TEST_ROUNDS ?? (LONG ? 1000 : 50));
/** Rounds between two unmounts with a check of all invariants. */
const INVARIANT_INTERVAL = 10;
const LONGEST_WORK_MS = 1500;
const LONGEST_UNMOUNT_MS = 1200;
const LONGEST_RECOVERY_MS = 1500;
const TIMEOUT_MS = ROUNDS * 30_000;
const MOMENTS = { working: 7, unmounting: 2, recovering: 2 } as const;
/** Everything that happens now and then happens all the time: uploads, metadata, eviction. */
const BUSY = ['--dirty-block-upload-delay', '1', '--metadata-backup-interval', '1', '--cachesize', '3000'];

class CrashTest {
  readonly #fileSystem: MountedFileSystem;
  readonly #workload: Workload;
  readonly #random: Random;

  constructor(fileSystem: MountedFileSystem, workload: Workload, random: Random) {
    this.#fileSystem = fileSystem;
    this.#workload = workload;
    this.#random = random;
  }

  /** Returns what was not as promised, or breaks an invariant. */
  async round(number: number): Promise<readonly string[]> {
    const moment = this.#random.weighted(MOMENTS);
    if (moment === 'unmounting') await this.#crashUnmounting();
    else await this.#crashWorking();
    if (moment === 'recovering') await this.#crashDuring('mount.s3ql', this.#fileSystem.mountArguments(), LONGEST_RECOVERY_MS);
    await this.#fileSystem.mount();
    const problems = [...(await this.#workload.verify()), ...(await this.#stackedMounts())];
    if (number % INVARIANT_INTERVAL !== 0) return problems.map((problem) => `crash while ${moment}: ${problem}`);
    const broken = await this.#fileSystem.brokenInvariants({ allowUnknownObjects: true });
    await this.#fileSystem.mount();
    return [...problems, ...broken];
  }

  /** A mount takes the dead one away: it must not lie on top of it. */
  async #stackedMounts(): Promise<string[]> {
    const count = await this.#fileSystem.mountCount();
    return count === 1 ? [] : [`${count} mounts lie on the mountpoint`];
  }

  async #crashWorking(): Promise<void> {
    const working = this.#workload.work();
    await delay(this.#random.below(LONGEST_WORK_MS));
    let killed = false;
    const early = working.then(({ stopped }) => {
      if (!killed) throw new Error(`the file system failed before it was killed: ${stopped}`);
    });
    await Promise.race([early, delay(0)]);
    killed = true;
    await this.#fileSystem.kill();
    await early;
  }

  async #crashUnmounting(): Promise<void> {
    const working = this.#workload.work();
    await delay(this.#random.below(LONGEST_WORK_MS));
    this.#workload.stop();
    const { stopped } = await working;
    if (stopped !== 'told to') throw new Error(`the file system failed: ${stopped}`);
    await this.#crashDuring('umount.s3ql', [this.#fileSystem.mountpoint], LONGEST_UNMOUNT_MS);
  }

  /** Starts a command and kills all there is at a random moment, possibly after it ended. */
  async #crashDuring(command: string, args: readonly string[], longestMs: number): Promise<void> {
    const child = spawn(join(import.meta.dirname, '../../bin', command), args, { stdio: 'ignore' });
    const ended = once(child, 'exit');
    await delay(this.#random.below(longestMs));
    await this.#fileSystem.kill();
    await ended;
  }
}

test(
  `${ROUNDS} crashes, S3QL_TEST_SEED: nothing that was promised is lost`,
  async () => {
    const seed = newSeed();
    await using fileSystem = await MountedFileSystem.create({ mountArguments: BUSY });
    const directory = join(fileSystem.mountpoint, 'work');
    await mkdir(directory);
    await fileSystem.remount();
    await using workload = new Workload(directory, seed);
    const crashes = new CrashTest(fileSystem, workload, new Random(seed));
    for (let round = 1; round <= ROUNDS; round += 1) {
      expect({ seed, round, problems: await crashes.round(round) }).toEqual({ seed, round, problems: [] });
    }
    expect(await fileSystem.brokenInvariants({ allowUnknownObjects: true })).toEqual([]);
  },
  TIMEOUT_MS,
);
