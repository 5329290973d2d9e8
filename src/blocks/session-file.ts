/**
 * How the last session with this directory ended: the file `session` says `running` while a cache is open, `clean` after it was closed,
 * and during which boot of the machine. Another boot means that what was not synced may be lost.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BOOT_ID_PATH = '/proc/sys/kernel/random/boot_id';

export interface LastSession {
  readonly clean: boolean;
  /** The machine has not been started anew since: all that was written is there. */
  readonly sameBoot: boolean;
}

function bootId(): string {
  return readFileSync(BOOT_ID_PATH, 'latin1').trim();
}

/** Undefined or damaged counts as a crash with power loss. */
export function readSession(directory: string): LastSession {
  try {
    const [state, boot] = readFileSync(join(directory, 'session'), 'latin1').split('\n');
    return { clean: state === 'clean', sameBoot: boot === bootId() };
  } catch {
    return { clean: false, sameBoot: false };
  }
}

/** Durable when it returns. */
export function writeSession(directory: string, state: 'running' | 'clean'): void {
  const path = join(directory, 'session');
  writeFileSync(`${path}.tmp`, `${state}\n${bootId()}\n`, { flush: true });
  renameSync(`${path}.tmp`, path);
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
