/**
 * The C library's functions that the tests call, as they are: results and errno are the callers' business. Synchronous calls run on the
 * calling thread, which `credentials.ts` relies on.
 */
import koffi from 'koffi';

/** A buffer, the address of mapped memory, or NULL. */
export type Pointer = Uint8Array | bigint | null;
/** A C integer of 64 bits. */
export type Long = number | bigint;

const library = koffi.load('libc.so.6');

export const libc = {
  access: library.func('int access(const void *path, int mode)') as (path: Pointer, mode: number) => number,
  chdir: library.func('int chdir(const void *path)') as (path: Pointer) => number,
  chmod: library.func('int chmod(const void *path, unsigned int mode)') as (path: Pointer, mode: number) => number,
  chown: library.func('int chown(const void *path, int uid, int gid)') as (path: Pointer, uid: number, gid: number) => number,
  chroot: library.func('int chroot(const void *path)') as (path: Pointer) => number,
  clock_gettime: library.func('int clock_gettime(int clock, void *time)') as (clock: number, time: Pointer) => number,
  close: library.func('int close(int fd)') as (fd: number) => number,
  copy_file_range: library.func(
    'int64_t copy_file_range(int fdIn, int64_t *offsetIn, int fdOut, int64_t *offsetOut, size_t length, unsigned int flags)',
  ) as (fdIn: number, offsetIn: Pointer, fdOut: number, offsetOut: Pointer, length: Long, flags: number) => Long,
  faccessat: library.func('int faccessat(int dirfd, const void *path, int mode, int flags)') as (
    dirfd: number,
    path: Pointer,
    mode: number,
    flags: number,
  ) => number,
  fallocate: library.func('int fallocate(int fd, int mode, int64_t offset, int64_t length)') as (
    fd: number,
    mode: number,
    offset: Long,
    length: Long,
  ) => number,
  fchdir: library.func('int fchdir(int fd)') as (fd: number) => number,
  fchmod: library.func('int fchmod(int fd, unsigned int mode)') as (fd: number, mode: number) => number,
  fchown: library.func('int fchown(int fd, int uid, int gid)') as (fd: number, uid: number, gid: number) => number,
  fcntlLock: library.func('int fcntl(int fd, int command, void *lock)') as (fd: number, command: number, lock: Pointer) => number,
  fdatasync: library.func('int fdatasync(int fd)') as (fd: number) => number,
  fgetxattr: library.func('int64_t fgetxattr(int fd, const void *name, void *value, size_t size)') as (
    fd: number,
    name: Pointer,
    value: Pointer,
    size: number,
  ) => Long,
  flock: library.func('int flock(int fd, int operation)') as (fd: number, operation: number) => number,
  fsetxattr: library.func('int fsetxattr(int fd, const void *name, const void *value, size_t size, int flags)') as (
    fd: number,
    name: Pointer,
    value: Pointer,
    size: number,
    flags: number,
  ) => number,
  fsync: library.func('int fsync(int fd)') as (fd: number) => number,
  ftruncate: library.func('int ftruncate(int fd, int64_t length)') as (fd: number, length: Long) => number,
  futimens: library.func('int futimens(int fd, const void *times)') as (fd: number, times: Pointer) => number,
  getdents64: library.func('int64_t getdents64(int fd, void *buffer, size_t size)') as (fd: number, buffer: Pointer, size: number) => Long,
  ioctl: library.func('int ioctl(int fd, unsigned long request, int64_t argument)') as (
    fd: number,
    request: Long,
    argument: Long,
  ) => number,
  ioctlPointer: library.func('int ioctl(int fd, unsigned long request, void *argument)') as (
    fd: number,
    request: Long,
    argument: Pointer,
  ) => number,
  lchown: library.func('int lchown(const void *path, int uid, int gid)') as (path: Pointer, uid: number, gid: number) => number,
  lgetxattr: library.func('int64_t lgetxattr(const void *path, const void *name, void *value, size_t size)') as (
    path: Pointer,
    name: Pointer,
    value: Pointer,
    size: number,
  ) => Long,
  linkat: library.func('int linkat(int oldFd, const void *oldPath, int newFd, const void *newPath, int flags)') as (
    oldFd: number,
    oldPath: Pointer,
    newFd: number,
    newPath: Pointer,
    flags: number,
  ) => number,
  llistxattr: library.func('int64_t llistxattr(const void *path, void *list, size_t size)') as (
    path: Pointer,
    list: Pointer,
    size: number,
  ) => Long,
  lremovexattr: library.func('int lremovexattr(const void *path, const void *name)') as (path: Pointer, name: Pointer) => number,
  lseek: library.func('int64_t lseek(int fd, int64_t offset, int whence)') as (fd: number, offset: Long, whence: number) => Long,
  lsetxattr: library.func('int lsetxattr(const void *path, const void *name, const void *value, size_t size, int flags)') as (
    path: Pointer,
    name: Pointer,
    value: Pointer,
    size: number,
    flags: number,
  ) => number,
  mkdir: library.func('int mkdir(const void *path, unsigned int mode)') as (path: Pointer, mode: number) => number,
  mkfifo: library.func('int mkfifo(const void *path, unsigned int mode)') as (path: Pointer, mode: number) => number,
  mknod: library.func('int mknod(const void *path, unsigned int mode, uint64_t device)') as (
    path: Pointer,
    mode: number,
    device: Long,
  ) => number,
  mmap: library.func('intptr_t mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)') as (
    address: Pointer,
    length: Long,
    protection: number,
    flags: number,
    fd: number,
    offset: Long,
  ) => Long,
  msync: library.func('int msync(intptr_t address, size_t length, int flags)') as (address: Long, length: Long, flags: number) => number,
  munmap: library.func('int munmap(intptr_t address, size_t length)') as (address: Long, length: Long) => number,
  name_to_handle_at: library.func('int name_to_handle_at(int dirfd, const void *path, void *handle, void *mountId, int flags)') as (
    dirfd: number,
    path: Pointer,
    handle: Pointer,
    mountId: Pointer,
    flags: number,
  ) => number,
  open: library.func('int open(const void *path, int flags, unsigned int mode)') as (path: Pointer, flags: number, mode: number) => number,
  openat: library.func('int openat(int dirfd, const void *path, int flags, unsigned int mode)') as (
    dirfd: number,
    path: Pointer,
    flags: number,
    mode: number,
  ) => number,
  open_by_handle_at: library.func('int open_by_handle_at(int mountFd, void *handle, int flags)') as (
    mountFd: number,
    handle: Pointer,
    flags: number,
  ) => number,
  posix_fadvise: library.func('int posix_fadvise(int fd, int64_t offset, int64_t length, int advice)') as (
    fd: number,
    offset: Long,
    length: Long,
    advice: number,
  ) => number,
  posix_fallocate: library.func('int posix_fallocate(int fd, int64_t offset, int64_t length)') as (
    fd: number,
    offset: Long,
    length: Long,
  ) => number,
  pread: library.func('int64_t pread(int fd, void *buffer, size_t length, int64_t offset)') as (
    fd: number,
    buffer: Pointer,
    length: number,
    offset: Long,
  ) => Long,
  pwrite: library.func('int64_t pwrite(int fd, const void *buffer, size_t length, int64_t offset)') as (
    fd: number,
    buffer: Pointer,
    length: number,
    offset: Long,
  ) => Long,
  read: library.func('int64_t read(int fd, void *buffer, size_t length)') as (fd: number, buffer: Pointer, length: number) => Long,
  readlink: library.func('int64_t readlink(const void *path, void *buffer, size_t size)') as (
    path: Pointer,
    buffer: Pointer,
    size: number,
  ) => Long,
  renameat2: library.func('int renameat2(int oldFd, const void *oldPath, int newFd, const void *newPath, unsigned int flags)') as (
    oldFd: number,
    oldPath: Pointer,
    newFd: number,
    newPath: Pointer,
    flags: number,
  ) => number,
  rmdir: library.func('int rmdir(const void *path)') as (path: Pointer) => number,
  statfs: library.func('int statfs(const void *path, void *buffer)') as (path: Pointer, buffer: Pointer) => number,
  statx: library.func('int statx(int dirfd, const void *path, int flags, unsigned int mask, void *buffer)') as (
    dirfd: number,
    path: Pointer,
    flags: number,
    mask: number,
    buffer: Pointer,
  ) => number,
  symlink: library.func('int symlink(const void *target, const void *path)') as (target: Pointer, path: Pointer) => number,
  syncfs: library.func('int syncfs(int fd)') as (fd: number) => number,
  syscall: library.func('long syscall(long number, long first, const void *second, long third)') as (
    number: number,
    first: Long,
    second: Pointer,
    third: Long,
  ) => Long,
  truncate: library.func('int truncate(const void *path, int64_t length)') as (path: Pointer, length: Long) => number,
  umask: library.func('unsigned int umask(unsigned int mask)') as (mask: number) => number,
  unlink: library.func('int unlink(const void *path)') as (path: Pointer) => number,
  utimensat: library.func('int utimensat(int dirfd, const void *path, const void *times, int flags)') as (
    dirfd: number,
    path: Pointer,
    times: Pointer,
    flags: number,
  ) => number,
  write: library.func('int64_t write(int fd, const void *buffer, size_t length)') as (fd: number, buffer: Pointer, length: number) => Long,
} as const;

/** errno of the calling thread's last call. */
export function lastErrno(): number {
  return koffi.errno();
}

/** Mapped memory as a buffer; valid until it is unmapped. */
export function mappedBytes(address: Long, lengthBytes: number): Uint8Array {
  return new Uint8Array(koffi.view(BigInt(address), lengthBytes));
}
