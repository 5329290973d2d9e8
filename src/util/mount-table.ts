/** What is mounted where in this process's mount namespace. Source: proc_pid_mountinfo(5). */
import { readFile } from 'node:fs/promises';

export interface MountTableEntry {
  /** `major:minor` of the mounted file system. */
  readonly device: string;
  readonly mountpoint: string;
  /** As in `fuse.s3ql`. */
  readonly type: string;
  /** What is mounted, as in the first column of mount(8). */
  readonly source: string;
}

/** All mounts, in the order in which they were made: of two at one place the later hides the earlier. */
export async function readMountTable(path: string = '/proc/self/mountinfo'): Promise<MountTableEntry[]> {
  return (await readFile(path, 'utf8')).split('\n').flatMap(parseLine);
}

function parseLine(line: string): MountTableEntry[] {
  // A variable number of optional fields ends with a lone dash.
  const fields = line.split(' ');
  const dash = fields.indexOf('-', 6);
  const [device, mountpoint] = [fields[2], fields[4]];
  const [type, source] = fields.slice(dash + 1);
  if (dash < 0 || device === undefined || mountpoint === undefined || type === undefined || source === undefined) return [];
  return [{ device, mountpoint: unescape(mountpoint), type: unescape(type), source: unescape(source) }];
}

/** Space, tab, newline and backslash are written in octal. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_match, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
