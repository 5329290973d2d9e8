/** Stores refuse signatures whose time is minutes off. */
import { MisconfigurationError } from '../errors.ts';

/** The error that tells by how much the clock is wrong, from the Date header of the store's answer. */
export function clockSkewError(host: string, date: string | undefined, nowMs: number = Date.now()): MisconfigurationError {
  const offsetMs = date === undefined ? Number.NaN : nowMs - Date.parse(date);
  const by = Number.isNaN(offsetMs)
    ? 'differs too much from'
    : `is ${duration(Math.abs(offsetMs))} ${offsetMs > 0 ? 'ahead of' : 'behind'}`;
  return new MisconfigurationError(`the clock of this machine ${by} that of ${host}; set it (timedatectl set-ntp true)`, {
    temporary: true,
  });
}

function duration(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 120) return `${minutes} minutes`;
  return minutes < 2880 ? `${Math.round(minutes / 60)} hours` : `${Math.round(minutes / 1440)} days`;
}
