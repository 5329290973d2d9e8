/** POSIX ACLs as the kernel takes them: the value of system.posix_acl_access and _default. Source: include/uapi/linux/posix_acl_xattr.h. */
export const ACCESS_ACL = 'system.posix_acl_access';
export const DEFAULT_ACL = 'system.posix_acl_default';

/** Permission digits (0 to 7); named users and groups by id. */
export interface Acl {
  readonly owner: number;
  readonly users?: Readonly<Record<number, number>>;
  readonly group: number;
  readonly groups?: Readonly<Record<number, number>>;
  /** Limits named users, the group and named groups; needed if there are any named ones. */
  readonly mask?: number;
  readonly other: number;
}

const VERSION = 2;
const NO_ID = 0xffff_ffff;
const TAGS = { owner: 0x01, user: 0x02, group: 0x04, namedGroup: 0x08, mask: 0x10, other: 0x20 } as const;

export function encodeAcl(acl: Acl): Uint8Array {
  const named = (tag: number, digits: Readonly<Record<number, number>> = {}): Array<readonly number[]> =>
    Object.entries(digits).map(([id, digit]) => [tag, digit, Number(id)]);
  const entries = [
    [TAGS.owner, acl.owner, NO_ID],
    ...named(TAGS.user, acl.users),
    [TAGS.group, acl.group, NO_ID],
    ...named(TAGS.namedGroup, acl.groups),
    ...(acl.mask === undefined ? [] : [[TAGS.mask, acl.mask, NO_ID]]),
    [TAGS.other, acl.other, NO_ID],
  ];
  const bytes = Buffer.alloc(4 + entries.length * 8);
  bytes.writeUInt32LE(VERSION, 0);
  for (const [index, [tag = 0, digit = 0, id = 0]] of entries.entries()) {
    bytes.writeUInt16LE(tag, 4 + index * 8);
    bytes.writeUInt16LE(digit, 6 + index * 8);
    bytes.writeUInt32LE(id, 8 + index * 8);
  }
  return new Uint8Array(bytes);
}
