/** What a started mount is to the command line: something to wait for and to end. */
export interface RunningMount {
  readonly mountpoint: string;
  /** Settles when the mount has ended, whoever ended it, and everything is stored. Never rejects. */
  readonly ended: Promise<{ readonly exitCode: number }>;
  /** Begins to unmount; `ended` tells when that is done. @throws UserError if the kernel refuses. */
  unmount(): Promise<void>;
}
