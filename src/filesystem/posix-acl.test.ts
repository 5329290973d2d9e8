import { expect, test } from 'vitest';
import { aclWithMode, encodeAcl, inheritAcl, isMinimalAcl, modeOfAcl, parseAcl, type AclEntry } from './posix-acl.ts';

const NOBODY = 0xffffffff;
const userObj = (permissions: number): AclEntry => ({ tag: 0x01, permissions, id: NOBODY });
const user = (id: number, permissions: number): AclEntry => ({ tag: 0x02, permissions, id });
const groupObj = (permissions: number): AclEntry => ({ tag: 0x04, permissions, id: NOBODY });
const mask = (permissions: number): AclEntry => ({ tag: 0x10, permissions, id: NOBODY });
const other = (permissions: number): AclEntry => ({ tag: 0x20, permissions, id: NOBODY });
const extended = [userObj(7), user(1000, 6), groupObj(5), mask(4), other(1)];

test('an ACL survives encoding and parsing', () => {
  expect(parseAcl(encodeAcl(extended))).toEqual(extended);
});

test('the group class of the mode is the mask where there is one', () => {
  expect(modeOfAcl(extended)).toBe(0o741);
  expect(modeOfAcl([userObj(6), groupObj(4), other(0)])).toBe(0o640);
});

test('chmod moves owner, mask and other but no named entry', () => {
  expect(aclWithMode(extended, 0o620)).toEqual([userObj(6), user(1000, 6), groupObj(5), mask(2), other(0)]);
});

test('chmod without a mask moves the owning group', () => {
  expect(aclWithMode([userObj(7), groupObj(7), other(7)], 0o640)).toEqual([userObj(6), groupObj(4), other(0)]);
});

test('a new file gets the default ACL cut down by the mode it was asked for', () => {
  const inherited = inheritAcl(extended, 0o100666);
  expect(inherited.mode).toBe(0o100640);
  expect(inherited.access).toEqual([userObj(6), user(1000, 6), groupObj(5), mask(4), other(0)]);
});

test('an ACL that says what the mode says is minimal', () => {
  expect([isMinimalAcl([userObj(6), groupObj(4), other(0)]), isMinimalAcl(extended)]).toEqual([true, false]);
});

test.each([
  ['a wrong length', Buffer.from([2, 0, 0, 0, 1])],
  ['a missing entry for others', Buffer.from(encodeAcl([userObj(7), groupObj(7)]))],
  ['a named user without mask', Buffer.from(encodeAcl([userObj(7), user(1, 7), groupObj(7), other(7)]))],
  ['the same user twice', Buffer.from(encodeAcl([userObj(7), user(1, 7), user(1, 6), groupObj(7), mask(7), other(7)]))],
  ['more than three permission bits', Buffer.from(encodeAcl([userObj(8), groupObj(7), other(7)]))],
  ['an unknown tag', Buffer.from(encodeAcl([...extended, { tag: 0x40, permissions: 1, id: 1 }]))],
])('an ACL with %s is refused with EINVAL', (_what, value) => {
  expect(() => parseAcl(value)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
});
