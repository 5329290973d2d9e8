/**
 * Unmounting as umount.s3ql does it: nothing is torn from under anybody's feet, and it is over only when everything is stored. The process
 * that serves the mount uploads what is left after the kernel has let go of it, so its end is waited for.
 */
import { execFile } from 'node:child_process';
import { readFile, realpath, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { UserError } from '../util/errors.ts';
import { logger } from '../util/log.ts';
import { readMountTable, type MountTableEntry } from '../util/mount-table.ts';
import { findMountUsers, type MountUser } from '../util/mount-users.ts';
import type { ProgressReporter } from '../util/progress.ts';
import { ControlFile } from './control-file.ts';
import { MountEventsListener } from './mount-events.ts';
import type { Output } from './output.ts';
import { EXIT_IN_USE, EXIT_NOT_MOUNTED, EXIT_UMOUNT_FAILED } from './exit-codes.ts';

const MOUNT_TYPE = 'fuse.s3ql';
/** How often figures are asked for while data is uploaded. */
const POLL_INTERVAL_MS = 500;
/** How often it is looked whether the process has ended: more rarely as time goes by. */
const SHORTEST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 1000;
/** No more users than these are named. */
const MAXIMUM_NAMED_USERS = 10;

const log = logger('umount');
const run = promisify(execFile);

/** Unmounts; leaves this process in the root directory. With `lazy` the mount vanishes at once and nothing is waited for. @throws UserError (1, 2) */
export async function unmount(path: string, lazy: boolean, { display, progress }: Pick<Output, 'display' | 'progress'>): Promise<void> {
  const mount = await findMount(path);
  // Whoever asks for it from inside must not be what keeps it busy.
  process.chdir('/');
  if (await removeDeadMounts(mount.mountpoint)) {
    log.warn('The process that served %s had died. The mount is gone; the next mount.s3ql recovers what was not uploaded.', path);
    return;
  }
  if (lazy) return callUmount(mount.mountpoint, true);

  const control = await ControlFile.find(mount.mountpoint);
  const pid = await control.pid();
  await refuseIfInUse(mount, pid);
  const commandLine = await commandLineOf(pid);
  const eventsPath = await control.eventsPath();
  await flush(control, progress);
  using events = eventsPath === undefined ? undefined : await MountEventsListener.connect(eventsPath, display);
  await callUmount(mount.mountpoint, false).catch(async (error: unknown) => {
    // Somebody else did it meanwhile: what remains is to wait as they do.
    if (await isInMountTable(mount)) throw error;
  });
  const exitCode = await events?.outcome();
  await waitForEnd(pid, commandLine, progress);
  if (events !== undefined && exitCode !== 0) throw notStored(mount.mountpoint, exitCode);
}

function notStored(mountpoint: string, exitCode: number | undefined): UserError {
  const end = exitCode === undefined ? 'died' : `failed with exit code ${exitCode}`;
  return new UserError(
    `the process that served ${mountpoint} ${end} while it stored data, see its log (mount.log): mount the file system here again to store the rest`,
    EXIT_UMOUNT_FAILED,
  );
}

/**
 * Takes away S3QL mounts at the path whose process has died; whoever still has files open there gets errors either way. Returns whether there
 * was one. @throws UserError (2)
 */
export async function removeDeadMounts(path: string): Promise<boolean> {
  let found = false;
  while (await isDead(path)) {
    await callUmount((await findMount(path)).mountpoint, true);
    found = true;
  }
  return found;
}

async function findMount(path: string): Promise<MountTableEntry> {
  // The mountpoint itself may be dead, so only its parent is looked at.
  const parent = await realpath(dirname(path)).catch((error: unknown) => {
    throw new UserError(`${path} does not exist`, EXIT_NOT_MOUNTED, { cause: error });
  });
  const table = await readMountTable();
  const at = (mountpoint: string): MountTableEntry | undefined => table.findLast((entry) => entry.mountpoint === mountpoint);
  const mount = at(join(parent, basename(path))) ?? at(await realpath(path).catch(() => path));
  if (mount === undefined) throw new UserError(`${path} is not a mountpoint`, EXIT_NOT_MOUNTED);
  if (mount.type !== MOUNT_TYPE) throw new UserError(`${path} is not an S3QL file system (it is of type ${mount.type})`, EXIT_NOT_MOUNTED);
  return mount;
}

async function isInMountTable({ device, mountpoint }: MountTableEntry): Promise<boolean> {
  return (await readMountTable()).some((entry) => entry.device === device && entry.mountpoint === mountpoint);
}

async function isDead(mountpoint: string): Promise<boolean> {
  try {
    // Not stat: the kernel remembers the attributes of the root longer than the process lives that told it.
    await statfs(mountpoint);
    return false;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOTCONN' || code === 'ECONNABORTED';
  }
}

async function refuseIfInUse(mount: MountTableEntry, daemonPid: number): Promise<void> {
  const inside = (await readMountTable()).filter(({ mountpoint }) => mountpoint.startsWith(`${mount.mountpoint}/`));
  if (inside.length > 0) {
    throw new UserError(
      `${mount.mountpoint} has other mounts inside: ${inside.map(({ mountpoint }) => mountpoint).join(', ')}`,
      EXIT_IN_USE,
    );
  }
  const users = (await findMountUsers(mount.mountpoint, mount.device)).filter(({ pid }) => pid !== daemonPid);
  if (users.length > 0) throw inUse(mount.mountpoint, users);
}

function inUse(mountpoint: string, users: readonly MountUser[]): UserError {
  const named = users.slice(0, MAXIMUM_NAMED_USERS).map(({ pid, command, uses }) => `${command} (process ${pid}: ${uses.join(', ')})`);
  if (users.length > named.length) named.push(`${users.length - named.length} more`);
  return new UserError(`${mountpoint} is in use by ${named.join(', ')}`, EXIT_IN_USE);
}

async function flush(control: ControlFile, progress: ProgressReporter): Promise<void> {
  using step = progress.step('Uploading changed data', 'blocks');
  const stop = new AbortController();
  let [total, bytesTotal] = [0, 0];
  const watching = watchDirtyFigures(control, stop.signal, (dirty, bytesDirty) => {
    total = Math.max(total, dirty);
    bytesTotal = Math.max(bytesTotal, bytesDirty);
    step.update({ done: total - dirty, total, bytesDone: bytesTotal - bytesDirty, bytesTotal });
  });
  try {
    await control.flushCache();
    step.update({ done: total, bytesDone: bytesTotal });
  } finally {
    stop.abort();
    await watching;
  }
}

/** Tells how much is dirty until told to stop. Never rejects: the figures are a convenience. */
async function watchDirtyFigures(
  control: ControlFile,
  signal: AbortSignal,
  report: (dirty: number, bytesDirty: number) => void,
): Promise<void> {
  while (!signal.aborted) {
    const figures = await control.statistics().catch(() => undefined);
    if (figures !== undefined && !signal.aborted) report(Number(figures.dirtyEntryCount), Number(figures.dirtySizeBytes));
    await sleep(POLL_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** @throws UserError (1 if the mount is in use, 2 for any other failure) */
async function callUmount(mountpoint: string, lazy: boolean): Promise<void> {
  const commands =
    process.geteuid?.() === 0
      ? [['umount', ...(lazy ? ['-l'] : []), mountpoint]]
      : ['fusermount3', 'fusermount'].map((program) => [program, '-u', ...(lazy ? ['-z'] : []), mountpoint]);
  let failure: unknown;
  for (const [program = '', ...args] of commands) {
    try {
      await run(program, args);
      return;
    } catch (error) {
      failure = error;
      // Only a program that does not exist is worth another.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') break;
    }
  }
  const { stderr, message } = failure as Error & { readonly stderr?: string };
  const text = stderr !== undefined && stderr.trim() !== '' ? stderr.trim() : message;
  throw new UserError(`cannot unmount: ${text}`, /busy/i.test(text) ? EXIT_IN_USE : EXIT_UMOUNT_FAILED, { cause: failure });
}

/** Undefined if there is no such process. */
async function commandLineOf(pid: number): Promise<string | undefined> {
  return readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => undefined);
}

/** Another process may have got the number meanwhile: it has another command line. A process that has ended, but was not waited for, has none. */
async function waitForEnd(pid: number, commandLine: string | undefined, progress: ProgressReporter): Promise<void> {
  using _step = progress.step('Waiting for the end of the mount');
  for (let waitMs = SHORTEST_WAIT_MS; ; waitMs = Math.min(waitMs * 1.5, LONGEST_WAIT_MS)) {
    const current = await commandLineOf(pid);
    if (current === undefined || current === '' || current !== commandLine) return;
    await sleep(waitMs);
  }
}
