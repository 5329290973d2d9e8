/** Names of entries have 1 to 255 bytes, none of them `/` or NUL, and are not `.`, `..` or the control file's. Others are made possible. */
import { CONTROL_FILE_NAME } from '../../filesystem/directory-operations.ts';
import type { Check } from '../check.ts';
import { freeName, MAX_NAME_BYTES } from '../entry-names.ts';
import { type EntryRow, shown, toEntry } from '../tree.ts';

const SLASH = 0x2f;
const UNDERSCORE = 0x5f;
const IMPOSSIBLE = `length(name) NOT BETWEEN 1 AND ${MAX_NAME_BYTES} OR instr(name, x'2f') > 0 OR instr(name, x'00') > 0
  OR name IN (x'2e', x'2e2e', x'${CONTROL_FILE_NAME.toString('hex')}')`;

export const impossibleNames: Check = {
  name: 'impossible names',
  run({ database, tree, findings }) {
    const rows = database.rows<EntryRow>(
      `SELECT contents.rowid, parent_inode, inode FROM names JOIN contents ON name_id = names.id WHERE ${IMPOSSIBLE}`,
    );
    for (const row of rows) {
      const entry = toEntry(row);
      const before = Buffer.from(tree.nameOf(entry.row) ?? []);
      const name = freeName(tree, entry.parent, possibleName(before));
      const directory = shown(tree.pathOf(entry.parent));
      tree.moveEntry(entry, entry.parent, name);
      findings.repaired(this.name, `An entry of ${directory} had an impossible name: it is called ${shown(name)} now`);
    }
  },
};

function possibleName(name: Buffer): Buffer {
  const special = name.length === 0 || name.equals(CONTROL_FILE_NAME) || ['.', '..'].includes(name.toString('latin1'));
  if (special) return Buffer.concat([Buffer.from('renamed-'), name]);
  return Buffer.from(name.map((byte) => (byte === SLASH || byte === 0 ? UNDERSCORE : byte)));
}
