/** Bits of INIT's `flags` (0 to 31) and `flags2` (32 to 63), by the name of the feature. Source: include/uapi/linux/fuse.h (7.45). */
export const featureBits = {
  /** Several READs of one file at a time. */
  asyncRead: 0,
  /** fcntl(2) locks are the file system's. */
  posixLocks: 1,
  /** O_TRUNC comes with OPEN instead of as a SETATTR behind it. */
  atomicTruncate: 3,
  /** LOOKUP of `.` and `..` by node id works: NFS can export the mount. */
  exportSupport: 4,
  /** WRITEs of more than a page. */
  bigWrites: 5,
  /** The file system applies the umask itself. */
  dontMask: 6,
  /** flock(2) locks are the file system's. */
  flockLocks: 10,
  /** Attributes that differ in mtime or size drop cached data. */
  autoInvalidateData: 12,
  readdirplus: 13,
  /** READDIRPLUS only where lookups follow. */
  readdirplusAuto: 14,
  /** Direct I/O is split into requests that run at the same time. */
  asyncDirectIo: 15,
  /** write(2) ends in the page cache; size and times are the kernel's. Excludes passthrough. */
  writebackCache: 16,
  /** Told by the kernel: ENOSYS to OPEN means that files need no OPEN. */
  noOpen: 17,
  /** LOOKUP and READDIR of one directory at the same time. */
  parallelDirectoryOperations: 18,
  /** ACLs are checked by the kernel and stored as xattrs; implies default_permissions. */
  posixAcl: 20,
  /** Reading the device after an abort says ECONNABORTED. */
  abortError: 21,
  /** `max_pages` in the reply counts. */
  maxPages: 22,
  cacheSymlinks: 23,
  /** Told by the kernel: ENOSYS to OPENDIR means that directories need no OPENDIR. */
  noOpendir: 24,
  /** Cached data is dropped on notification only. */
  explicitInvalidateData: 25,
  /** The file system drops setuid and setgid bits and capabilities, told by flags in WRITE, SETATTR and OPEN. */
  handleKillPrivilegesV2: 28,
  /** SETXATTR has a second word of flags. */
  setxattrExtended: 29,
  /** `flags2` counts. */
  initExtended: 30,
  /** Creating requests carry the caller's group that is the parent's. */
  createSupplementaryGroup: 34,
  /** Told by the kernel: an entry can be made to expire by notification. */
  expireOnly: 35,
  /** mmap(2) of files opened for direct I/O. */
  directIoAllowMmap: 36,
  /** Reads and writes of chosen files go straight to a local file. */
  passthrough: 37,
  /** Node ids don't outlive the mount: NFS must not export it. */
  noExportSupport: 38,
} as const;

export type Feature = keyof typeof featureBits;
