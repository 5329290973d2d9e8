/**
 * Which processes keep a mount busy: by their current or root directory, their program, open files or mapped files. Processes of other users
 * are seen by root only. Never touches the mount itself. Source: proc(5).
 */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

export interface MountUser {
  readonly pid: number;
  /** Name of the program, as ps(1) shows it. */
  readonly command: string;
  /** How it uses the mount. */
  readonly uses: readonly string[];
}

const LINKS = [
  ['cwd', 'current directory'],
  ['root', 'root directory'],
  ['exe', 'program'],
] as const;

/** `device` is the mount's `major:minor`; `proc` is where the proc file system is. */
export async function findMountUsers(mountpoint: string, device: string, proc: string = '/proc'): Promise<MountUser[]> {
  const users: MountUser[] = [];
  for (const name of await readdir(proc)) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const uses = await usesOf(join(proc, name), mountpoint, device);
    if (uses.length > 0) users.push({ pid: Number(name), command: await commandOf(join(proc, name)), uses });
  }
  return users;
}

async function usesOf(directory: string, mountpoint: string, device: string): Promise<string[]> {
  const below = (path: string): boolean => path === mountpoint || path.startsWith(mountpoint === '/' ? '/' : `${mountpoint}/`);
  const target = async (path: string): Promise<string> => readlink(path).catch(() => '');
  const uses: string[] = [];
  for (const [link, use] of LINKS) {
    if (below(await target(join(directory, link)))) uses.push(use);
  }
  const descriptors = await readdir(join(directory, 'fd')).catch(() => []);
  const targets = await Promise.all(descriptors.map((descriptor) => target(join(directory, 'fd', descriptor))));
  if (targets.some(below)) uses.push('open file');
  // Fourth field: device of the mapped file, in hexadecimal.
  const [major, minor] = device.split(':').map((part) => Number(part).toString(16).padStart(2, '0'));
  const maps = await readFile(join(directory, 'maps'), 'latin1').catch(() => '');
  if (!uses.includes('program') && maps.includes(` ${major}:${minor} `)) uses.push('mapped file');
  return uses;
}

async function commandOf(directory: string): Promise<string> {
  return (await readFile(join(directory, 'comm'), 'utf8').catch(() => '')).trim();
}
