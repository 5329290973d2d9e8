/**
 * The figures of statfs and s3qlstat without scans: counted once, on the first question, and adjusted with every change.
 * Sums of 64-bit columns are taken in halves, because SQLite's SUM fails beyond 2^63.
 */
import type { DatabaseSync } from 'node:sqlite';
import { prepareRows } from './connection.ts';
import type { Participant } from './transaction.ts';

/** What is counted. */
export interface Figures {
  entryCount: number;
  inodeCount: number;
  objectCount: number;
  totalSizeBytes: bigint;
  deduplicatedSizeBytes: bigint;
  storedSizeBytes: bigint;
}

const sumOfHalves = (column: string): string => `coalesce(sum(${column} >> 32), 0), coalesce(sum(${column} & 4294967295), 0)`;

export class Totals implements Participant {
  readonly #connection: DatabaseSync;
  /** Figures at the time of opening; undefined until somebody asks. */
  #atOpening: Figures | undefined;
  /** What has changed since. */
  #delta: Figures = zero();

  constructor(connection: DatabaseSync) {
    this.#connection = connection;
  }

  entries(count: number): void {
    this.#delta.entryCount += count;
  }

  inodes(count: number, sizeBytes: bigint): void {
    this.#delta.inodeCount += count;
    this.#delta.totalSizeBytes += sizeBytes;
  }

  objects(count: number, lengthBytes: number, storedSizeBytes: number): void {
    this.#delta.objectCount += count;
    this.#delta.deduplicatedSizeBytes += BigInt(count * lengthBytes);
    this.#delta.storedSizeBytes += BigInt(count * Math.max(storedSizeBytes, 0));
  }

  /** Takes figures that were counted elsewhere, as they were when the database was opened. */
  prime(atOpening: Figures): void {
    this.#atOpening ??= atOpening;
  }

  /** Present figures. `beforeCounting` is called if the tables have to be counted, and must make them complete. */
  get(beforeCounting: () => void): Readonly<Figures> {
    if (this.#atOpening === undefined) {
      beforeCounting();
      this.#atOpening = difference(countFigures(this.#connection), this.#delta);
    }
    return sum(this.#atOpening, this.#delta);
  }

  mark(): Figures {
    return { ...this.#delta };
  }

  rollback(mark: unknown): void {
    this.#delta = mark as Figures;
  }

  release(): void {}

  beforeCommit(): void {}
}

function zero(): Figures {
  return { entryCount: 0, inodeCount: 0, objectCount: 0, totalSizeBytes: 0n, deduplicatedSizeBytes: 0n, storedSizeBytes: 0n };
}

function sum(a: Figures, b: Figures): Figures {
  return {
    entryCount: a.entryCount + b.entryCount,
    inodeCount: a.inodeCount + b.inodeCount,
    objectCount: a.objectCount + b.objectCount,
    totalSizeBytes: a.totalSizeBytes + b.totalSizeBytes,
    deduplicatedSizeBytes: a.deduplicatedSizeBytes + b.deduplicatedSizeBytes,
    storedSizeBytes: a.storedSizeBytes + b.storedSizeBytes,
  };
}

function difference(a: Figures, b: Figures): Figures {
  return sum(a, {
    entryCount: -b.entryCount,
    inodeCount: -b.inodeCount,
    objectCount: -b.objectCount,
    totalSizeBytes: -b.totalSizeBytes,
    deduplicatedSizeBytes: -b.deduplicatedSizeBytes,
    storedSizeBytes: -b.storedSizeBytes,
  });
}

/** Counts the tables: reads all of `inodes` and `objects`. */
export function countFigures(connection: DatabaseSync): Figures {
  const [entryCount] = prepareRows<[number]>(connection, 'SELECT count(*) FROM contents').get() ?? [0];
  const [inodeCount, sizeHigh, sizeLow] = prepareRows<[bigint, bigint, bigint]>(
    connection,
    `SELECT count(*), ${sumOfHalves('size')} FROM inodes`,
    { bigints: true },
  ).get() ?? [0n, 0n, 0n];
  const [objectCount, lengthHigh, lengthLow, storedHigh, storedLow] = prepareRows<[bigint, bigint, bigint, bigint, bigint]>(
    connection,
    `SELECT count(*), ${sumOfHalves('length')}, ${sumOfHalves('max(phys_size, 0)')} FROM objects`,
    { bigints: true },
  ).get() ?? [0n, 0n, 0n, 0n, 0n];
  return {
    entryCount,
    inodeCount: Number(inodeCount),
    objectCount: Number(objectCount),
    totalSizeBytes: (sizeHigh << 32n) + sizeLow,
    deduplicatedSizeBytes: (lengthHigh << 32n) + lengthLow,
    storedSizeBytes: (storedHigh << 32n) + storedLow,
  };
}
