/** Every system call that takes a path, with what it needs to succeed: one list for all that is true of any path. */
import { AT_SYMLINK_NOFOLLOW, F_OK, O_CREAT, O_RDONLY, O_WRONLY, O_DIRECTORY, S_IFREG } from '../support/syscalls/constants.ts';
import type { FileType } from '../support/syscalls/file-attributes.ts';
import type { Path } from '../support/syscalls/arguments.ts';
import type { Call } from '../support/syscalls/system-calls.ts';

export interface PathUser {
  readonly name: string;
  readonly call: (path: Path) => Call;
  /** What has to be at the path; absent: nothing. */
  readonly wants?: FileType;
  /** Whether a symbolic link at the end of the path is followed. */
  readonly follows: boolean;
  /** Whether the call adds or removes the directory entry. */
  readonly changesEntry: boolean;
  /** Needs a file `other` in the working directory. */
  readonly needsOther?: boolean;
  /** Where the raw call answers a NULL path otherwise than by EFAULT. */
  readonly nullIsSpecial?: boolean;
}

function reader(name: string, call: (path: Path) => Call, wants: FileType = 'file', follows: boolean = true): PathUser {
  return { name, call, wants, follows, changesEntry: false };
}

function creator(name: string, call: (path: Path) => Call, needsOther: boolean = false): PathUser {
  return { name, call, follows: false, changesEntry: true, needsOther };
}

function remover(name: string, call: (path: Path) => Call, wants: FileType = 'file'): PathUser {
  return { name, call, wants, follows: false, changesEntry: true };
}

export const PATH_USERS: readonly PathUser[] = [
  reader('access', (path) => ['access', path, F_OK]),
  reader('chdir', (path) => ['chdir', path], 'directory'),
  reader('chmod', (path) => ['chmod', path, 0o644]),
  reader('chown', (path) => ['chown', path, -1, -1]),
  reader('lchown', (path) => ['lchown', path, -1, -1], 'file', false),
  reader('stat', (path) => ['stat', path]),
  reader('lstat', (path) => ['lstat', path], 'file', false),
  reader('statfs', (path) => ['statfs', path]),
  reader('truncate', (path) => ['truncate', path, 0]),
  { ...reader('utimensat', (path) => ['utimensat', path, ['now', 'now']]), nullIsSpecial: true },
  {
    ...reader('utimensat of a link', (path) => ['utimensat', path, ['now', 'now'], AT_SYMLINK_NOFOLLOW], 'file', false),
    nullIsSpecial: true,
  },
  reader('readlink', (path) => ['readlink', path], 'symlink', false),
  reader('open', (path) => ['open', path, O_RDONLY]),
  reader('open for writing', (path) => ['open', path, O_WRONLY]),
  reader('open of a directory', (path) => ['open', path, O_RDONLY | O_DIRECTORY], 'directory'),
  reader('setxattr', (path) => ['setxattr', path, 'user.x', 'y'], 'file', false),
  reader('listxattr', (path) => ['listxattr', path], 'file', false),
  reader('link from', (path) => ['link', path, 'made'], 'file', false),
  { ...creator('open that creates', (path) => ['open', path, O_CREAT | O_WRONLY, 0o600]), follows: true },
  creator('mkdir', (path) => ['mkdir', path, 0o755]),
  creator('mkfifo', (path) => ['mkfifo', path, 0o644]),
  creator('mknod', (path) => ['mknod', path, S_IFREG | 0o644]),
  creator('symlink', (path) => ['symlink', 'target', path]),
  creator('link to', (path) => ['link', 'other', path], true),
  creator('rename to', (path) => ['rename', 'other', path], true),
  remover('rename from', (path) => ['rename', path, 'made']),
  remover('unlink', (path) => ['unlink', path]),
  remover('rmdir', (path) => ['rmdir', path], 'directory'),
];
