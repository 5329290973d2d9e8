/** Every exit code there is, with its meaning and the commands that use it. The reference in docs/ is made from this table. */

export interface ExitCodeEntry {
  readonly code: number;
  readonly meaning: string;
  /** Names as in `s3ql NAME`; or all commands that open a store, or a file system in a store, or that can keep a log, or simply all. */
  readonly commands: 'storage' | 'file-system' | 'log' | 'all' | readonly string[];
}

export const EXIT_OK = 0;
export const EXIT_ERROR = 1;
export const EXIT_INVALID_COMMAND_LINE = 2;
/** umount.s3ql's own meanings of 1 and 2. */
export const EXIT_NOT_MOUNTED = 1;
export const EXIT_IN_USE = 1;
export const EXIT_UMOUNT_FAILED = 2;
export const EXIT_LOG_NOT_WRITABLE = 10;
export const EXIT_AUTHENTICATION_FAILED = 14;
export const EXIT_NO_PERMISSION = 15;
export const EXIT_NO_CONTAINER = 16;
export const EXIT_HOST_NOT_FOUND = 19;
export const EXIT_READ_ONLY_MOUNT = 35;
export const EXIT_NO_MOUNTPOINT = 36;
export const EXIT_UNCORRECTABLE = 44;
export const EXIT_CACHEDIR = 45;
export const EXIT_OBJECTS_DAMAGED = 46;
export const EXIT_UNSUITABLE_STORE = 47;
export const EXIT_ERRORS_FOUND = 128;
/** 128 + SIGINT and 128 + SIGPIPE, as shells have it. */
export const EXIT_INTERRUPTED = 130;
export const EXIT_BROKEN_PIPE = 141;

export const EXIT_CODES: readonly ExitCodeEntry[] = [
  { code: EXIT_OK, meaning: 'Everything went well', commands: 'all' },
  { code: EXIT_ERROR, meaning: 'An error without a code of its own; the message says which', commands: 'all' },
  {
    code: EXIT_INVALID_COMMAND_LINE,
    meaning: 'The command line, the storage URL or a setting in the authfile is invalid, or the storage backend is unknown',
    commands: 'all',
  },
  { code: EXIT_IN_USE, meaning: 'The path is no S3QL mount of yours, or it is in use', commands: ['umount'] },
  { code: EXIT_UMOUNT_FAILED, meaning: 'umount(8) or fusermount(1) failed, or not everything could be stored', commands: ['umount'] },
  { code: 3, meaning: 'The storage backend does not have this option', commands: 'storage' },
  { code: EXIT_LOG_NOT_WRITABLE, meaning: 'The log cannot be written', commands: 'log' },
  { code: 12, meaning: 'The authfile may be read by users other than its owner', commands: 'storage' },
  { code: 13, meaning: 'A proxy setting in the environment cannot be understood', commands: 'storage' },
  { code: EXIT_AUTHENTICATION_FAILED, meaning: 'The store does not accept the credentials', commands: 'storage' },
  { code: EXIT_NO_PERMISSION, meaning: 'The credentials do not permit this', commands: 'storage' },
  { code: EXIT_NO_CONTAINER, meaning: 'The bucket, container or directory does not exist', commands: 'storage' },
  { code: 17, meaning: 'The passphrase is wrong, or the object that holds the wrapped key is damaged', commands: 'file-system' },
  { code: 18, meaning: 'There is no S3QL file system at the storage URL', commands: 'file-system' },
  { code: EXIT_HOST_NOT_FOUND, meaning: 'The name of the server cannot be resolved', commands: 'storage' },
  {
    code: 30,
    meaning: 'The file system was not unmounted cleanly, or needs fsck.s3ql',
    commands: ['mount', 'adm', 'verify', 'ls', 'cat', 'get', 'put', 'find', 'du'],
  },
  {
    code: 31,
    meaning: 'Another machine uses the file system, or did not unmount it',
    commands: ['mkfs', 'mount', 'fsck', 'adm', 'verify', 'put'],
  },
  { code: 32, meaning: 'The revision of the file system is too old', commands: 'file-system' },
  { code: 33, meaning: 'The revision of the file system is too new', commands: 'file-system' },
  { code: EXIT_READ_ONLY_MOUNT, meaning: 'A read-only mount was asked for', commands: ['mount'] },
  { code: EXIT_NO_MOUNTPOINT, meaning: 'The mountpoint does not exist', commands: ['mount'] },
  { code: 37, meaning: 'Too few files may be open at once', commands: ['mount', 'put'] },
  { code: 39, meaning: 'The kernel refused the mount', commands: ['mount'] },
  { code: 40, meaning: 'The file system is mounted on this machine', commands: 'storage' },
  { code: 41, meaning: 'An answer is needed, but questions are not allowed', commands: ['fsck'] },
  { code: 42, meaning: 'The user gave up', commands: ['fsck'] },
  { code: 43, meaning: 'The local copy of the metadata is damaged', commands: ['fsck'] },
  { code: EXIT_UNCORRECTABLE, meaning: 'There are errors that cannot be corrected', commands: ['fsck'] },
  { code: EXIT_CACHEDIR, meaning: 'The cache directory cannot be used', commands: 'storage' },
  { code: EXIT_OBJECTS_DAMAGED, meaning: 'Objects are missing or damaged', commands: ['verify'] },
  { code: EXIT_UNSUITABLE_STORE, meaning: 'The store does not keep what S3QL has to rely on', commands: ['check-store'] },
  { code: EXIT_ERRORS_FOUND, meaning: 'Errors were found; added to the other codes', commands: ['fsck'] },
  { code: EXIT_INTERRUPTED, meaning: 'Interrupted by Ctrl-C', commands: 'all' },
  { code: EXIT_BROKEN_PIPE, meaning: 'Whoever read the output stopped reading', commands: 'all' },
];
