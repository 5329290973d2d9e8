/** Integers in JSON that may exceed what its numbers hold exactly. */

/** A number where it is exact as such, else decimal text. */
export function exactNumber(value: bigint): number | string {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value);
}

/** For JSON.stringify: the same for every BigInt in a structure. */
export function exactNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? exactNumber(value) : value;
}
