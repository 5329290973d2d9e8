/** Books transactions in an SQLite database that syncs all it should. After a crash it is sound and has every transaction that was committed. */
import { DatabaseSync } from 'node:sqlite';
import type { Random } from '../../support/random.ts';
import type { Actor } from '../actor.ts';

const LARGEST_ENTRY_BYTES = 6000;

export class Ledger implements Actor {
  readonly name: string;
  readonly #path: string;
  readonly #journal: 'delete' | 'wal';
  #database: DatabaseSync | undefined;
  #promised = 0;
  #attempted = 0;

  constructor(path: string, journal: 'delete' | 'wal') {
    this.name = `ledger with journal ${journal}`;
    this.#path = path;
    this.#journal = journal;
  }

  step(random: Random): void {
    const database = this.#open();
    this.#attempted += 1;
    database.exec('BEGIN IMMEDIATE');
    database.prepare('INSERT INTO entries (id, note) VALUES (?, zeroblob(?))').run(this.#attempted, random.below(LARGEST_ENTRY_BYTES));
    database.prepare('UPDATE balance SET last = ?').run(this.#attempted);
    database.exec('COMMIT');
    this.#promised = this.#attempted;
  }

  verify(): string[] {
    const database = this.#open();
    const problems = database
      .prepare('PRAGMA integrity_check')
      .all()
      .map((row) => String(row.integrity_check))
      .filter((line) => line !== 'ok');
    const { count, last } = database.prepare('SELECT count(*) AS count, (SELECT last FROM balance) AS last FROM entries').get() as Record<
      string,
      number
    >;
    if (count !== last) problems.push(`${count} entries and a balance of ${last}`);
    if ((last ?? 0) < this.#promised) problems.push(`${last} transactions are there, ${this.#promised} were committed`);
    if ((last ?? 0) > this.#attempted) problems.push(`${last} transactions are there, only ${this.#attempted} were begun`);
    this.#promised = last ?? 0;
    this.#attempted = last ?? 0;
    return problems;
  }

  close(): void {
    try {
      this.#database?.close();
    } catch {
      // The file system is gone, and the database with it.
    }
    this.#database = undefined;
  }

  #open(): DatabaseSync {
    if (this.#database !== undefined) return this.#database;
    this.#database = new DatabaseSync(this.#path);
    // With locks of its own SQLite maps no memory that would be gone with the mount.
    this.#database.exec(`
      PRAGMA locking_mode = exclusive;
      PRAGMA journal_mode = ${this.#journal};
      PRAGMA synchronous = EXTRA;
      CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY, note BLOB);
      CREATE TABLE IF NOT EXISTS balance (last INTEGER);
      INSERT INTO balance SELECT 0 WHERE NOT EXISTS (SELECT * FROM balance);`);
    return this.#database;
  }
}
