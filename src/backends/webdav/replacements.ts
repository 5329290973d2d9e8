/**
 * How objects are replaced where MOVE deletes its target first, as RFC 4918 (9.9.3) has it: the new object waits, whole, under a name of its
 * own while the old one goes. Whoever finds no object under a key looks for one that waits.
 */
import { randomBytes } from 'node:crypto';

const REPLACEMENT = /^(.+)#[^#/]*\.new$/;
const TEMPORARY = /#[^#/]*\.tmp$/;

/** To write to. What is there may be incomplete. */
export function temporaryName(name: string): string {
  return `${name}#${uniqueSuffix()}.tmp`;
}

/** For an object that is complete and will be `name`. Later ones sort behind earlier ones. */
export function replacementName(name: string): string {
  return `${name}#${uniqueSuffix()}.new`;
}

export function isTemporaryName(name: string): boolean {
  return TEMPORARY.test(name);
}

/** The name that a replacement will have; undefined for other names. */
export function replacedName(name: string): string | undefined {
  return REPLACEMENT.exec(name)?.[1];
}

function uniqueSuffix(): string {
  return `${Date.now().toString(36).padStart(10, '0')}-${randomBytes(4).toString('hex')}`;
}
