/** No row refers to one that does not exist. All such cases have been repaired by now: what is left here nobody knows how to repair. */
import type { Column } from '../../metadata/connection.ts';
import type { Check } from '../check.ts';

export const foreignKeys: Check = {
  name: 'dangling references',
  run({ database, findings }) {
    for (const [table, row, parent] of database.rows<[string, Column, string, Column]>('PRAGMA foreign_key_check')) {
      findings.uncorrectable(this.name, `Row ${String(row)} of ${table} refers to a row of ${parent} that does not exist`);
    }
  },
};
