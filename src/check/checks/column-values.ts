/**
 * Every column holds a value of its type and range. Runs before all else, and changes rows in place only, so that the code that serves a
 * mount can read every table. What a wrong value stood for is told from other rows, here or by the checks that follow.
 */
import type { Check, CheckContext } from '../check.ts';

const integerIn = (column: string, low: string, high: string): string =>
  `typeof(${column}) IS NOT 'integer' OR ${column} NOT BETWEEN ${low} AND ${high}`;
const U32 = '4294967295';
const MAX_ID = '9007199254740991';

interface ColumnRule {
  readonly table: string;
  readonly column: string;
  /** SQL that is true for a bad row. */
  readonly bad: string;
  /** SQL for the value that takes its place. */
  readonly value: string;
}

const blob = (table: string, column: string): ColumnRule => ({
  table,
  column,
  bad: `typeof(${column}) IS NOT 'blob'`,
  value: `CAST(coalesce(${column}, x'') AS BLOB)`,
});
const time = (column: string): ColumnRule => ({
  table: 'inodes',
  column,
  bad: `typeof(${column}) IS NOT 'integer'`,
  value: `coalesce(CAST(${column} AS INTEGER), 0)`,
});

const RULES: readonly ColumnRule[] = [
  { table: 'inodes', column: 'uid', bad: integerIn('uid', '0', U32), value: '0' },
  { table: 'inodes', column: 'gid', bad: integerIn('gid', '0', U32), value: '0' },
  { table: 'inodes', column: 'mode', bad: integerIn('mode', '0', '65535'), value: 'coalesce(CAST(mode AS INTEGER), 0) & 65535' },
  time('mtime_ns'),
  time('atime_ns'),
  time('ctime_ns'),
  // Not 0: that would say that the file was deleted.
  { table: 'inodes', column: 'refcount', bad: integerIn('refcount', '0', U32), value: '1' },
  { table: 'inodes', column: 'size', bad: integerIn('size', '0', '9223372036854775807'), value: '0' },
  { table: 'inodes', column: 'rdev', bad: integerIn('rdev', '0', U32), value: '0' },
  { table: 'inodes', column: 'locked', bad: integerIn('locked', '0', '1'), value: `typeof(locked) IS 'integer'` },
  { table: 'objects', column: 'hash', bad: `hash IS NOT NULL AND (typeof(hash) IS NOT 'blob' OR length(hash) != 32)`, value: 'NULL' },
  {
    table: 'objects',
    column: 'refcount',
    bad: integerIn('refcount', '0', MAX_ID),
    value: '(SELECT count(*) FROM inode_blocks WHERE obj_id = objects.id)',
  },
  { table: 'objects', column: 'phys_size', bad: integerIn('phys_size', '-1', MAX_ID), value: '-1' },
  { table: 'objects', column: 'length', bad: integerIn('length', '-1', U32), value: '-1' },
  blob('symlink_targets', 'target'),
  blob('ext_attributes', 'value'),
  {
    table: 'names',
    column: 'refcount',
    bad: integerIn('refcount', '1', MAX_ID),
    value: `max(1, (SELECT count(*) FROM contents WHERE name_id = names.id)
      + (SELECT count(*) FROM ext_attributes WHERE name_id = names.id))`,
  },
];

const ID_COLUMNS: ReadonlyArray<readonly [table: string, column: string]> = [
  ['contents', 'rowid'],
  ['inodes', 'id'],
  ['objects', 'id'],
];

/** Rows that refer to an inode. */
const INODE_REFERENCES: ReadonlyArray<readonly [table: string, column: string]> = [
  ['contents', 'inode'],
  ['contents', 'parent_inode'],
  ['inode_blocks', 'inode'],
  ['symlink_targets', 'inode'],
  ['ext_attributes', 'inode'],
];

type Context = Pick<CheckContext, 'database' | 'findings'>;

export const columnValues: Pick<Check, 'name'> & { run(context: Context): void } = {
  name: 'impossible values',
  run(context) {
    removeImpossibleObjects(context);
    renumberImpossibleInodes(context);
    repairSequences(context);
    for (const rule of RULES) apply(context, rule);
    namesToBlobs(context);
  },
};

function apply({ database, findings }: Context, { table, column, bad, value }: ColumnRule): void {
  const count = database.run(`UPDATE ${table} SET ${column} = ${value} WHERE ${bad}`);
  if (count > 0) findings.repaired(columnValues.name, `${count} rows of ${table} had an impossible ${column}`);
}

/** No object can have been stored under such an id. */
function removeImpossibleObjects({ database, findings }: Context): void {
  for (const [id] of database.rows<[bigint]>(`DELETE FROM objects WHERE id NOT BETWEEN 1 AND ${MAX_ID} RETURNING id`)) {
    findings.repaired(columnValues.name, `Object ${id} has an impossible number`);
  }
}

function renumberImpossibleInodes({ database, findings }: Context): void {
  const ids = database.rows<[bigint]>(`SELECT id FROM inodes WHERE id NOT BETWEEN 1 AND ${MAX_ID}`);
  let next = database.row<[bigint]>(`SELECT coalesce(max(id), 3) FROM inodes WHERE id BETWEEN 1 AND ${MAX_ID}`)?.[0] ?? 3n;
  for (const [id] of ids) {
    next += 1n;
    database.run('UPDATE inodes SET id = ? WHERE id = ?', next, id);
    for (const [table, column] of INODE_REFERENCES)
      database.run(`UPDATE OR IGNORE ${table} SET ${column} = ? WHERE ${column} = ?`, next, id);
    findings.repaired(columnValues.name, `Inode ${id} has an impossible number: it is inode ${next} now`);
  }
}

/** The last ids handed out are remembered, so that none is handed out again. */
function repairSequences({ database, findings }: Context): void {
  for (const [table, column] of ID_COLUMNS) {
    const lowest = database.row<[bigint]>(`SELECT coalesce(max(${column}), 0) FROM ${table}`)?.[0] ?? 0n;
    if (lowest === 0n) continue;
    const good = `typeof(seq) = 'integer' AND seq BETWEEN ?1 AND ${MAX_ID}`;
    const kept = database.row<[bigint | null]>(`SELECT max(seq) FROM sqlite_sequence WHERE name = ?2 AND ${good}`, lowest, table)?.[0];
    const wrong = database.run(`DELETE FROM sqlite_sequence WHERE name = ?2 AND NOT (${good})`, lowest, table);
    if (kept !== null && kept !== undefined && wrong === 0) continue;
    if (kept === null || kept === undefined) database.run('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)', table, lowest);
    findings.repaired(columnValues.name, `The last number handed out in ${table} was wrong`);
  }
}

/** A name that is text becomes bytes; if these have a row already, that one takes over the references. */
function namesToBlobs({ database, findings }: Context): void {
  const rows = database.rows<[bigint, Uint8Array]>(`SELECT id, CAST(name AS BLOB) FROM names WHERE typeof(name) != 'blob'`);
  for (const [id, name] of rows) {
    const other = database.row<[bigint]>('SELECT id FROM names WHERE name = ?', name)?.[0];
    if (other === undefined) database.run('UPDATE names SET name = ? WHERE id = ?', name, id);
    else mergeNames({ database }, id, other);
    findings.repaired(columnValues.name, `Name ${id} was no sequence of bytes`);
  }
}

function mergeNames({ database }: Pick<CheckContext, 'database'>, from: bigint, to: bigint): void {
  // Where both names are in one directory, the entry stays without a name and gets a new one later.
  database.run('UPDATE OR IGNORE contents SET name_id = ? WHERE name_id = ?', to, from);
  database.run('UPDATE OR IGNORE ext_attributes SET name_id = ? WHERE name_id = ?', to, from);
  database.run('DELETE FROM names WHERE id = ?', from);
  database.run(
    `UPDATE names SET refcount = (SELECT count(*) FROM contents WHERE name_id = ?1) + (SELECT count(*) FROM ext_attributes WHERE name_id = ?1)
     WHERE id = ?1`,
    to,
  );
}
