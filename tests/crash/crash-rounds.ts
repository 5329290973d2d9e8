/**
 * Rounds of a crash test on one file system: a workload, a catastrophe at a random moment of a random activity, the ordinary mount command, and
 * every promise checked; now and then, after an unmount, every invariant of the store too.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MountedFileSystem } from '../support/mounted-file-system.ts';
import { Random } from '../support/random.ts';
import { Workload } from './workload.ts';

/** Rounds between two unmounts with a check of all invariants. */
const INVARIANT_INTERVAL = 10;
const LONGEST_WORK_MS = 800;
const LONGEST_UPLOAD_MS = 300;
const LONGEST_UNMOUNT_MS = 500;
const LONGEST_RECOVERY_MS = 700;
const LONGEST_CHECK_MS = 900;
const LONGEST_MKFS_MS = 350;
/** What is going on when everything dies, and how often. */
const MOMENTS = { working: 10, uploading: 3, unmounting: 3, recovering: 3, checking: 3, making: 1 } as const;
/** Everything that happens now and then happens all the time: uploads, metadata, eviction. */
const BUSY = ['--dirty-block-upload-delay', '1', '--metadata-backup-interval', '1', '--cachesize', '3000'];
const BIN = join(import.meta.dirname, '../../bin');

/** What ends everything. */
export interface Catastrophe {
  /** Data that were not synced may be zeros afterwards. */
  readonly losesUnsynced: boolean;
  /** What it happens to has its cache and its store in there; absent: where they are does not matter. */
  readonly stateDirectory?: () => Promise<string>;
  /** Nothing that worked for these file systems works any more. */
  strike(fileSystems: readonly MountedFileSystem[]): Promise<void>;
}

export const killAll: Catastrophe = {
  losesUnsynced: false,
  async strike([struck]: readonly MountedFileSystem[]): Promise<void> {
    await struck?.kill();
  },
};

export class CrashRounds implements AsyncDisposable {
  readonly #catastrophe: Catastrophe;
  readonly #fileSystem: MountedFileSystem;
  readonly #workload: Workload;
  readonly #random: Random;

  private constructor(catastrophe: Catastrophe, fileSystem: MountedFileSystem, workload: Workload, random: Random) {
    this.#catastrophe = catastrophe;
    this.#fileSystem = fileSystem;
    this.#workload = workload;
    this.#random = random;
  }

  /** A file system of its own, mounted. */
  static async begin(seed: number, catastrophe: Catastrophe = killAll): Promise<CrashRounds> {
    const fileSystem = await MountedFileSystem.create({ mountArguments: BUSY, ...(await placeOf(catastrophe)) });
    const directory = join(fileSystem.mountpoint, 'work');
    await mkdir(directory);
    await fileSystem.remount();
    return new CrashRounds(
      catastrophe,
      fileSystem,
      new Workload({ directory, seed, mayHaveZeros: catastrophe.losesUnsynced }),
      new Random(seed),
    );
  }

  /** Returns what was not as promised, or breaks an invariant. */
  async round(number: number): Promise<readonly string[]> {
    const moment = this.#random.weighted(MOMENTS);
    const problems = [...(await this.#crashWhile(moment))];
    if (!this.#fileSystem.isMounted) await this.#fileSystem.mount();
    problems.push(...(await this.#workload.verify()), ...(await this.#stackedMounts()));
    if (number % INVARIANT_INTERVAL === 0) {
      problems.push(...(await this.brokenInvariants()));
      await this.#fileSystem.mount();
    }
    return problems.map((problem) => `crash while ${moment}: ${problem}`);
  }

  /** Unmounts. */
  brokenInvariants(): Promise<string[]> {
    return this.#fileSystem.brokenInvariants({ allowUnknownObjects: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#workload[Symbol.asyncDispose]();
    await this.#fileSystem[Symbol.asyncDispose]();
  }

  async #crashWhile(moment: keyof typeof MOMENTS): Promise<readonly string[]> {
    const fileSystem = this.#fileSystem;
    switch (moment) {
      case 'working':
        await this.#crashWorking();
        return [];
      case 'uploading':
        await this.#crashWorking(LONGEST_UPLOAD_MS);
        return [];
      case 'unmounting':
        await this.#crashUnmounting();
        return [];
      case 'recovering':
        await this.#crashWorking();
        await this.#crashDuring(fileSystem, 'mount.s3ql', fileSystem.mountArguments(), LONGEST_RECOVERY_MS);
        return [];
      case 'checking':
        await this.#crashWorking();
        await this.#crashDuring(fileSystem, 'fsck.s3ql', fileSystem.checkArguments(), LONGEST_CHECK_MS);
        return [];
      case 'making':
        return this.#crashMaking();
      default:
        throw new Error('no such moment');
    }
  }

  /** `uploadMs`: an upload of the metadata has been running for at most that long. */
  async #crashWorking(uploadMs?: number): Promise<void> {
    const working = this.#workload.work();
    await delay(this.#random.below(LONGEST_WORK_MS));
    let killed = false;
    const early = working.then(({ stopped }) => {
      if (!killed) throw new Error(`the file system failed before it was killed: ${stopped}`);
    });
    await Promise.race([early, delay(0)]);
    if (uploadMs !== undefined) {
      await this.#fileSystem.control('set', 'upload-meta');
      await delay(this.#random.below(uploadMs));
    }
    killed = true;
    await this.#catastrophe.strike([this.#fileSystem]);
    await early;
  }

  async #crashUnmounting(): Promise<void> {
    const working = this.#workload.work();
    await delay(this.#random.below(LONGEST_WORK_MS));
    this.#workload.stop();
    const { stopped } = await working;
    if (stopped !== 'told to') throw new Error(`the file system failed: ${stopped}`);
    await this.#crashDuring(this.#fileSystem, 'umount.s3ql', [this.#fileSystem.mountpoint], LONGEST_UNMOUNT_MS);
  }

  /** Another file system: mkfs dies, and can be run again or was done. */
  async #crashMaking(): Promise<string[]> {
    await using made = await MountedFileSystem.prepare(await placeOf(this.#catastrophe));
    await this.#crashDuring(made, 'mkfs.s3ql', made.makeArguments(), LONGEST_MKFS_MS);
    const again = await made.tryToMake();
    const problems: string[] = [];
    if (again.exitCode !== 0 && !again.stderr.includes('Refusing to overwrite')) problems.push(again.stderr);
    await made.mount();
    return [...problems, ...(await made.brokenInvariants())];
  }

  /** Starts a command; the catastrophe comes at a random moment, possibly after the command ended. */
  async #crashDuring(fileSystem: MountedFileSystem, command: string, args: readonly string[], longestMs: number): Promise<void> {
    const child = spawn(join(BIN, command), args, { stdio: 'ignore' });
    const ended = once(child, 'exit');
    await delay(this.#random.below(longestMs));
    await this.#catastrophe.strike(fileSystem === this.#fileSystem ? [fileSystem] : [fileSystem, this.#fileSystem]);
    await ended;
  }

  /** A mount takes the dead one away: it must not lie on top of it. */
  async #stackedMounts(): Promise<string[]> {
    const count = await this.#fileSystem.mountCount();
    return count === 1 ? [] : [`${count} mounts lie on the mountpoint`];
  }
}

async function placeOf({ stateDirectory }: Catastrophe): Promise<{ stateDirectory?: string }> {
  return stateDirectory === undefined ? {} : { stateDirectory: await stateDirectory() };
}
