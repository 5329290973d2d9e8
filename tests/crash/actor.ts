/**
 * Somebody who works in a file system that may die at any moment, and remembers what it was promised. A step does one operation; after a
 * crash and a new mount `verify` tells what is not as promised, or not as POSIX allows, and takes what it finds as the new beginning.
 */
import type { Random } from '../support/random.ts';

export interface Actor {
  readonly name: string;
  /** @throws what the file system throws when it dies */
  step(random: Random): void;
  verify(): string[];
  /** Lets go of everything that is open; must not throw. */
  close(): void;
}
