/** What a started mount is to the command line: something to wait for and to end. */
import type { MountRequestName } from '../cli/mount-events.ts';

export interface RunningMount {
  readonly mountpoint: string;
  /** Settles when the mount has ended, whoever ended it, and everything is stored. Never rejects. */
  readonly ended: Promise<{ readonly exitCode: number }>;
  /** Answers what tools ask by the mount's socket (cli/mount-events.ts): something for JSON. @throws Error to be told them */
  answer(request: MountRequestName): Promise<unknown>;
  /** Begins to unmount; `ended` tells when that is done. @throws UserError if the kernel refuses. */
  unmount(): Promise<void>;
}
