/** What tables are made of: objects of every type, users, permission digits. */
import { O_CREAT, O_WRONLY, S_IFBLK, S_IFCHR, S_IFSOCK } from '../support/syscalls/constants.ts';
import type { FileType } from '../support/syscalls/file-attributes.ts';
import type { Call } from '../support/syscalls/system-calls.ts';
import { type Credentials, MEMBER, OWNER, STRANGER } from '../support/users.ts';

export const FILE_TYPES: readonly FileType[] = ['file', 'directory', 'fifo', 'character', 'block', 'socket', 'symlink'];
/** All that have permissions of their own. */
export const MODED_TYPES: readonly FileType[] = FILE_TYPES.filter((type) => type !== 'symlink');
/** All that unlink removes. */
export const NON_DIRECTORIES: readonly FileType[] = FILE_TYPES.filter((type) => type !== 'directory');

export interface ObjectOptions {
  readonly mode?: number;
  readonly owner?: Credentials;
  readonly content?: string;
}

/** Calls that make an object; 0644 (directories: 0755) and root's unless told otherwise. A symlink's target does not exist. */
export function make(type: FileType, path: string, options: ObjectOptions = {}): Call[] {
  const mode = options.mode ?? (type === 'directory' ? 0o755 : 0o644);
  const calls = [...create(type, path, options.content)];
  if (options.owner !== undefined) calls.push(['lchown', path, options.owner.uid, options.owner.gid]);
  if (type !== 'symlink') calls.push(['chmod', path, mode]);
  return calls;
}

function create(type: FileType, path: string, content: string | undefined): readonly Call[] {
  if (type === 'file' && content !== undefined) {
    return [
      ['open', path, O_CREAT | O_WRONLY, 0o600, `making ${path}`],
      ['write', `making ${path}`, content],
      ['close', `making ${path}`],
    ];
  }
  const creations: Readonly<Record<FileType, Call>> = {
    file: ['open', path, O_CREAT | O_WRONLY, 0o600],
    directory: ['mkdir', path, 0o700],
    fifo: ['mkfifo', path, 0o600],
    character: ['mknod', path, S_IFCHR | 0o600, 1, 3],
    block: ['mknod', path, S_IFBLK | 0o600, 240, 200],
    socket: ['mknod', path, S_IFSOCK | 0o600],
    symlink: ['symlink', 'no-such-target', path],
  };
  return [creations[type]];
}

/** Which permission digit applies to whom, when OWNER owns the object. */
export interface UserClass {
  readonly name: string;
  readonly user: Credentials;
  /** The digit's place in the mode, in bits. */
  readonly shift: number;
}

export const USER_CLASSES: readonly UserClass[] = [
  { name: 'the owner', user: OWNER, shift: 6 },
  { name: 'a member of the group', user: MEMBER, shift: 3 },
  { name: 'a stranger', user: STRANGER, shift: 0 },
];

export const DIGITS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7];

/** A mode that grants the class what the digit says, and everyone else the opposite, so that looking at the wrong digit shows. */
export function modeFor(userClass: UserClass, digit: number): number {
  const opposite = (7 & ~digit) * 0o111;
  return (opposite & ~(7 << userClass.shift)) | (digit << userClass.shift);
}

export function octal(mode: number): string {
  return `0${mode.toString(8).padStart(3, '0')}`;
}
