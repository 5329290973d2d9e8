/** What is mounted where, without touching it: looking at a mount of ours with stat(2) is a request to ourselves. */
import { readFile } from 'node:fs/promises';

/** Device number (`major:minor`) of what is mounted on a path, the topmost if several; undefined if nothing is. The path is a real path. */
export async function mountedDevice(mountpoint: string): Promise<string | undefined> {
  return findDevice(await readFile('/proc/self/mountinfo', 'latin1'), mountpoint);
}

/** The same from the text of mountinfo, in which bytes are characters: proc(5). */
export function findDevice(mountinfo: string, mountpoint: string): string | undefined {
  const path = Buffer.from(mountpoint)
    .toString('latin1')
    .replaceAll(/[ \t\n\\]/g, octalEscape);
  return mountinfo
    .split('\n')
    .map((line) => line.split(' '))
    .findLast((fields) => fields[4] === path)?.[2];
}

function octalEscape(character: string): string {
  return `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`;
}
