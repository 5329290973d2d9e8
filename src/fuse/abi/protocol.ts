/** Version, sizes and identities of the FUSE protocol. Source: include/uapi/linux/fuse.h (7.45). */

export const PROTOCOL_MAJOR = 7;
/** The newest minor version we speak. */
export const PROTOCOL_MINOR = 45;
/** The oldest kernel we speak with: 7.31 is Linux 5.4; older ones have shorter structures. */
export const MIN_PROTOCOL_MINOR = 31;

/** struct fuse_in_header: len, opcode, unique, nodeid, uid, gid, pid, total_extlen, padding. */
export const IN_HEADER_BYTES = 40;
/** struct fuse_out_header: len, error, unique. */
export const OUT_HEADER_BYTES = 16;
/** Smallest buffer with which the kernel lets the device be read. */
export const MIN_READ_BUFFER_BYTES = 8192;
/** What a WRITE request may have in front of its data, rounded up to a page. */
export const MAX_REQUEST_OVERHEAD_BYTES = 4096;
/** The kernel counts requests in pages of this size on x86-64 and, as a rule, on arm64. */
export const PAGE_BYTES = 4096;

export const ENTRY_OUT_BYTES = 128;
export const ATTR_OUT_BYTES = 104;
export const OPEN_OUT_BYTES = 16;
export const DIRENT_HEADER_BYTES = 24;

/** Codes of unsolicited messages to the kernel: enum fuse_notify_code. */
export const Notify = {
  INVAL_INODE: 2,
  INVAL_ENTRY: 3,
  STORE: 4,
  DELETE: 6,
  INC_EPOCH: 8,
  PRUNE: 9,
} as const;

/** ioctl(2) requests of /dev/fuse: _IOW(229, 1, struct fuse_backing_map) and _IOW(229, 2, uint32_t). */
export const FUSE_DEV_IOC_BACKING_OPEN = 0x4010_e501;
export const FUSE_DEV_IOC_BACKING_CLOSE = 0x4004_e502;
