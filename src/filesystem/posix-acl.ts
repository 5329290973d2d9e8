/**
 * POSIX ACLs as the kernel passes them in the xattrs system.posix_acl_access and system.posix_acl_default, and how they and the mode bits
 * follow each other. The kernel checks permissions by them; keeping them right is up to the file system.
 *
 * Sources: include/uapi/linux/posix_acl_xattr.h (version 2, little-endian entries of 8 bytes), POSIX 1003.1e draft 17 sections 23.1.5, 23.1.6.
 */
import { FsError } from '../util/errors.ts';

export const ACL_ACCESS_NAME: Uint8Array = Buffer.from('system.posix_acl_access');
export const ACL_DEFAULT_NAME: Uint8Array = Buffer.from('system.posix_acl_default');

/** Whether the extended attribute is one of the two that hold ACLs. */
export function isAclName(name: Uint8Array): boolean {
  return Buffer.compare(name, ACL_ACCESS_NAME) === 0 || Buffer.compare(name, ACL_DEFAULT_NAME) === 0;
}

const VERSION = 2;
const HEADER_BYTES = 4;
const ENTRY_BYTES = 8;
const ACL_USER_OBJ = 0x01;
const ACL_USER = 0x02;
const ACL_GROUP_OBJ = 0x04;
const ACL_GROUP = 0x08;
const ACL_MASK = 0x10;
const ACL_OTHER = 0x20;
const UNDEFINED_ID = 0xffffffff;

export interface AclEntry {
  readonly tag: number;
  readonly permissions: number;
  readonly id: number;
}

/** @throws FsError EINVAL, EOPNOTSUPP (unknown version) */
export function parseAcl(value: Uint8Array): AclEntry[] {
  const view = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (view.length < HEADER_BYTES || (view.length - HEADER_BYTES) % ENTRY_BYTES !== 0) throw new FsError('EINVAL', 'ACL of a wrong length');
  if (view.readUInt32LE(0) !== VERSION) throw new FsError('EOPNOTSUPP', 'ACL of an unknown version');
  const entries: AclEntry[] = [];
  for (let offset = HEADER_BYTES; offset < view.length; offset += ENTRY_BYTES) {
    entries.push({ tag: view.readUInt16LE(offset), permissions: view.readUInt16LE(offset + 2), id: view.readUInt32LE(offset + 4) });
  }
  validate(entries);
  return entries;
}

export function encodeAcl(entries: readonly AclEntry[]): Uint8Array {
  const value = Buffer.alloc(HEADER_BYTES + entries.length * ENTRY_BYTES);
  value.writeUInt32LE(VERSION, 0);
  entries.forEach((entry, index) => {
    const offset = HEADER_BYTES + index * ENTRY_BYTES;
    value.writeUInt16LE(entry.tag, offset);
    value.writeUInt16LE(entry.permissions, offset + 2);
    value.writeUInt32LE(entry.id, offset + 4);
  });
  return value;
}

/** The nine permission bits that an access ACL stands for: the mask, where there is one, is the group class. */
export function modeOfAcl(entries: readonly AclEntry[]): number {
  const owner = permissionsOf(entries, ACL_USER_OBJ) ?? 0;
  const group = permissionsOf(entries, ACL_MASK) ?? permissionsOf(entries, ACL_GROUP_OBJ) ?? 0;
  const other = permissionsOf(entries, ACL_OTHER) ?? 0;
  return (owner << 6) | (group << 3) | other;
}

/** Whether the ACL says nothing that the mode bits don't: then it is not stored. */
export function isMinimalAcl(entries: readonly AclEntry[]): boolean {
  return entries.every((entry) => entry.tag === ACL_USER_OBJ || entry.tag === ACL_GROUP_OBJ || entry.tag === ACL_OTHER);
}

/** The access ACL after chmod. */
export function aclWithMode(entries: readonly AclEntry[], mode: number): AclEntry[] {
  const groupClass = entries.some((entry) => entry.tag === ACL_MASK) ? ACL_MASK : ACL_GROUP_OBJ;
  return entries.map((entry) => {
    if (entry.tag === ACL_USER_OBJ) return { ...entry, permissions: (mode >> 6) & 7 };
    if (entry.tag === groupClass) return { ...entry, permissions: (mode >> 3) & 7 };
    if (entry.tag === ACL_OTHER) return { ...entry, permissions: mode & 7 };
    return entry;
  });
}

/** What a new file gets from its directory's default ACL and the mode it was asked for: the umask does not apply. */
export function inheritAcl(defaults: readonly AclEntry[], mode: number): { access: AclEntry[]; mode: number } {
  const groupClass = defaults.some((entry) => entry.tag === ACL_MASK) ? ACL_MASK : ACL_GROUP_OBJ;
  const access = defaults.map((entry) => {
    if (entry.tag === ACL_USER_OBJ) return { ...entry, permissions: entry.permissions & (mode >> 6) & 7 };
    if (entry.tag === groupClass) return { ...entry, permissions: entry.permissions & (mode >> 3) & 7 };
    if (entry.tag === ACL_OTHER) return { ...entry, permissions: entry.permissions & mode & 7 };
    return entry;
  });
  return { access, mode: (mode & ~0o777) | modeOfAcl(access) };
}

function permissionsOf(entries: readonly AclEntry[], tag: number): number | undefined {
  return entries.find((entry) => entry.tag === tag)?.permissions;
}

/** One of each basic entry, a mask if there are named ones, no name twice, permissions of three bits. */
function validate(entries: readonly AclEntry[]): void {
  const counts = new Map<number, number>();
  const named = new Set<string>();
  for (const entry of entries) {
    if (entry.permissions > 7) throw new FsError('EINVAL', 'ACL entry with unknown permissions');
    counts.set(entry.tag, (counts.get(entry.tag) ?? 0) + 1);
    if (entry.tag === ACL_USER || entry.tag === ACL_GROUP) {
      const key = `${entry.tag}:${entry.id}`;
      if (entry.id === UNDEFINED_ID || named.has(key)) throw new FsError('EINVAL', 'ACL names somebody twice or nobody');
      named.add(key);
    }
  }
  const known = new Set([ACL_USER_OBJ, ACL_USER, ACL_GROUP_OBJ, ACL_GROUP, ACL_MASK, ACL_OTHER]);
  const basicOnce = [ACL_USER_OBJ, ACL_GROUP_OBJ, ACL_OTHER].every((tag) => counts.get(tag) === 1);
  const maskCount = counts.get(ACL_MASK) ?? 0;
  const allKnown = [...counts.keys()].every((tag) => known.has(tag));
  if (!allKnown || !basicOnce || maskCount > 1 || (named.size > 0 && maskCount === 0)) throw new FsError('EINVAL', 'ACL is incomplete');
}
