/** The users that tests act as. None needs an account: Linux knows numbers only. */
export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
}

export const ROOT: Credentials = { uid: 0, gid: 0, groups: [] };
/** A supplementary group of OWNER. */
export const SECOND_GROUP = 21_010;
/** Owns the objects of a case. */
export const OWNER: Credentials = { uid: 21_001, gid: 21_001, groups: [SECOND_GROUP] };
/** Is in the objects' group, but owns nothing. */
export const MEMBER: Credentials = { uid: 21_002, gid: 21_002, groups: [21_001] };
/** Has nothing to do with the objects. */
export const STRANGER: Credentials = { uid: 21_003, gid: 21_003, groups: [] };
