/** How arguments of system calls are written in tables, and their C forms. */

/** A path or name: text (UTF-8), any bytes without NUL, or null for a NULL pointer. */
export type Path = string | Uint8Array | null;
/** A descriptor: its number, or the name of the slot that `open` put it in. A slot that holds nothing is -1. */
export type Descriptor = number | string;
/** Contents: text (UTF-8) or bytes. */
export type Content = string | Uint8Array;
/** A time: seconds and nanoseconds, or what utimensat(2) calls UTIME_NOW and UTIME_OMIT. */
export type TimeArgument = { readonly sec: number | bigint; readonly nsec: number } | 'now' | 'omit';

const UTIME_NOW = (1 << 30) - 1;
const UTIME_OMIT = (1 << 30) - 2;

const slots = new Map<string, number>();

export function cString(text: Path): Uint8Array | null {
  return text === null ? null : Buffer.concat([bytesOf(text), Buffer.of(0)]);
}

export function bytesOf(content: Content): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content) : content;
}

export function descriptor(of: Descriptor): number {
  return typeof of === 'number' ? of : (slots.get(of) ?? -1);
}

export function keepDescriptor(slot: string, fd: number): void {
  if (slots.has(slot)) throw new Error(`slot ${slot} is in use`);
  slots.set(slot, fd);
}

/** Empties a slot; the caller closes what was in it. */
export function releaseSlot(slot: string): void {
  slots.delete(slot);
}

export function openSlots(): string[] {
  return [...slots.keys()];
}

/** struct timespec[2], or null for a NULL pointer. */
export function timespecs(times: readonly [TimeArgument, TimeArgument] | null): Uint8Array | null {
  if (times === null) return null;
  const buffer = Buffer.alloc(32);
  for (const [index, time] of times.entries()) {
    if (time === 'now') buffer.writeBigInt64LE(BigInt(UTIME_NOW), index * 16 + 8);
    else if (time === 'omit') buffer.writeBigInt64LE(BigInt(UTIME_OMIT), index * 16 + 8);
    else {
      buffer.writeBigInt64LE(BigInt(time.sec), index * 16);
      buffer.writeBigInt64LE(BigInt(time.nsec), index * 16 + 8);
    }
  }
  return buffer;
}
