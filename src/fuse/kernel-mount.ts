/**
 * Mounting and unmounting: what connects /dev/fuse with a directory. Root calls mount(2); others have it done by fusermount3(1), which
 * sends the descriptor through a socket.
 */
import { spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import {
  MNT_DETACH,
  MS_DIRSYNC,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  MS_SYNCHRONOUS,
  UMOUNT_NOFOLLOW,
  mount,
  receiveDescriptorSync,
  setNonBlockingSync,
  socketpairSync,
  umount,
} from '../util/libc.ts';

export interface KernelMountOptions {
  /** The directory (or file, if that is what the root node is) to mount on. */
  readonly mountpoint: string;
  /** What /proc/mounts shows as the device. */
  readonly source: string;
  /** The type in /proc/mounts is `fuse.<subtype>`. */
  readonly subtype: string;
  /** Users other than the one who mounts may use it. Ordinary users need user_allow_other in /etc/fuse.conf for that. */
  readonly allowOther?: boolean;
  /** The kernel checks permissions by mode, owner and group. */
  readonly defaultPermissions?: boolean;
  /** Largest READ. */
  readonly maxReadBytes?: number;
  readonly readOnly?: boolean;
  /** Set-user-id programs and devices are honoured unless these say otherwise; ordinary users have no choice. */
  readonly noSuid?: boolean;
  readonly noDev?: boolean;
  readonly noExec?: boolean;
  readonly noAtime?: boolean;
  readonly noDirAtime?: boolean;
  readonly synchronous?: boolean;
  readonly dirSync?: boolean;
}

/** Mounting or unmounting failed; the message is for the user. `code` is the system call's, where there was one. */
export class MountError extends Error {
  readonly code: string | undefined;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MountError';
    const { cause } = options ?? {};
    this.code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  }
}

/** Options that are both flags of mount(2) and words for fusermount3. */
const commonOptions = [
  ['readOnly', MS_RDONLY, 'ro'],
  ['noSuid', MS_NOSUID, 'nosuid'],
  ['noDev', MS_NODEV, 'nodev'],
  ['noExec', MS_NOEXEC, 'noexec'],
  ['noAtime', MS_NOATIME, 'noatime'],
  ['noDirAtime', MS_NODIRATIME, 'nodiratime'],
  ['synchronous', MS_SYNCHRONOUS, 'sync'],
  ['dirSync', MS_DIRSYNC, 'dirsync'],
] as const;

/** A mount in the kernel, whose requests come from `fd`. */
export interface KernelMount {
  /** Non-blocking, closed in programs that are started. Belongs to the caller. */
  readonly fd: number;
  /** Where it is, without symbolic links. */
  readonly mountpoint: string;
  /** `lazy` detaches it now and ends it when its last file is closed. */
  unmount(lazy: boolean): Promise<void>;
}

/** Mounts. The caller must serve requests from then on: whoever touches the mount waits for it. */
export async function mountKernel(options: KernelMountOptions): Promise<KernelMount> {
  const mountpoint = await realpath(options.mountpoint);
  const { mode } = await stat(mountpoint);
  return process.geteuid?.() === 0 ? mountAsRoot(options, mountpoint, mode) : mountAsUser(options, mountpoint);
}

async function mountAsRoot(options: KernelMountOptions, mountpoint: string, mode: number): Promise<KernelMount> {
  const fd = openDevice();
  const data = [
    `fd=${fd}`,
    `rootmode=${mode.toString(8)}`,
    `user_id=${process.getuid?.()}`,
    `group_id=${process.getgid?.()}`,
    ...fuseOptions(options),
  ];
  let flags = 0;
  for (const [name, flag] of commonOptions) if (options[name]) flags |= flag;
  try {
    await mount(options.source, mountpoint, `fuse.${options.subtype}`, flags, data.join(','));
  } catch (error) {
    closeSync(fd);
    throw new MountError(`Can't mount on ${mountpoint}: ${(error as Error).message}`, { cause: error });
  }
  return {
    fd,
    mountpoint,
    async unmount(lazy) {
      try {
        await umount(mountpoint, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0));
      } catch (error) {
        throw new MountError(`Can't unmount ${mountpoint}: ${(error as Error).message}`, { cause: error });
      }
    },
  };
}

function openDevice(): number {
  try {
    return openSync('/dev/fuse', constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    throw new MountError(`Can't open /dev/fuse: ${(error as Error).message}`, { cause: error });
  }
}

async function mountAsUser(options: KernelMountOptions, mountpoint: string): Promise<KernelMount> {
  const words: string[] = commonOptions.flatMap(([name, , word]) => (options[name] ? [word] : []));
  words.push(...fuseOptions(options), `subtype=${escapeOption(options.subtype)}`, `fsname=${escapeOption(options.source)}`);
  const [ours, theirs] = socketpairSync();
  try {
    try {
      await fusermount(['-o', words.join(','), '--', mountpoint], theirs);
    } finally {
      closeSync(theirs);
    }
    const fd = receiveDescriptorSync(ours);
    if (fd === undefined) throw new MountError('fusermount3 sent no descriptor');
    setNonBlockingSync(fd);
    return { fd, mountpoint, unmount: (lazy) => fusermount(['-u', ...(lazy ? ['-z'] : []), '--', mountpoint]) };
  } finally {
    closeSync(ours);
  }
}

/** Options that are the same for mount(2) and fusermount3. */
function fuseOptions(options: KernelMountOptions): string[] {
  const words: string[] = [];
  if (options.allowOther) words.push('allow_other');
  if (options.defaultPermissions) words.push('default_permissions');
  if (options.maxReadBytes !== undefined) words.push(`max_read=${options.maxReadBytes}`);
  return words;
}

/** fusermount3 takes a comma or a backslash as part of a value if a backslash is before it. */
function escapeOption(value: string): string {
  return value.replaceAll(/[\\,]/g, (character) => `\\${character}`);
}

/** Runs fusermount3, with `socket` for the descriptor; rejects with what it says. */
async function fusermount(args: readonly string[], socket?: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const child = spawn('fusermount3', args, {
    stdio: ['ignore', 'ignore', 'pipe', ...(socket === undefined ? [] : [socket])],
    env: { ...process.env, LC_ALL: 'C', ...(socket === undefined ? {} : { _FUSE_COMMFD: '3' }) },
  });
  const said: Buffer[] = [];
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk));
  child.on('error', (error: NodeJS.ErrnoException) => {
    const reason = error.code === 'ENOENT' ? 'fusermount3 not found: please install fuse3' : `Can't run fusermount3: ${error.message}`;
    reject(new MountError(reason, { cause: error }));
  });
  child.on('close', (code, signal) => {
    if (code === 0) resolve();
    else reject(new MountError(lastLine(Buffer.concat(said).toString()) ?? `fusermount3 failed (${signal ?? code})`));
  });
  await promise;
}

function lastLine(text: string): string | undefined {
  return text.trim().split('\n').at(-1) || undefined;
}
