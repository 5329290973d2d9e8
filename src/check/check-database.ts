/**
 * The metadata database as checks see it: SQL on a connection of its own, integers as BigInts, because a damaged row may hold anything.
 * Everything a check run changes is in one transaction, so a check that is cut short has changed nothing.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { type Column, openConnection } from '../metadata/connection.ts';

export class CheckDatabase implements Disposable {
  readonly #connection: DatabaseSync;
  #changeCount = 0;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string) {
    this.#connection = openConnection(path);
    // The transaction may be larger than memory; losing it does no harm.
    this.#connection.exec('PRAGMA cache_spill = ON');
  }

  /** All rows, as arrays. */
  rows<Row extends readonly Column[]>(sql: string, ...parameters: SQLInputValue[]): Row[] {
    return this.#prepare(sql).all(...parameters) as unknown as Row[];
  }

  /** Rows one by one; the tables must not change meanwhile. */
  iterate<Row extends readonly Column[]>(sql: string, ...parameters: SQLInputValue[]): IterableIterator<Row> {
    return this.#prepare(sql).iterate(...parameters) as unknown as IterableIterator<Row>;
  }

  row<Row extends readonly Column[]>(sql: string, ...parameters: SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...parameters) as unknown as Row | undefined;
  }

  /** Returns how many rows changed. */
  run(sql: string, ...parameters: SQLInputValue[]): number {
    const changes = Number(this.#prepare(sql).run(...parameters).changes);
    this.#changeCount += changes;
    return changes;
  }

  /** As `run`, for temporary tables: nothing that would have to be stored. */
  runOnTemporary(sql: string, ...parameters: SQLInputValue[]): void {
    this.#prepare(sql).run(...parameters);
  }

  /** Rows that `run` changed so far. */
  get changeCount(): number {
    return this.#changeCount;
  }

  /** Statements without parameters or results. */
  exec(sql: string): void {
    this.#connection.exec(sql);
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql);
      statement.setReturnArrays(true);
      statement.setReadBigInts(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
