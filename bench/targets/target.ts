/** What the benchmark compares: a directory to work in, and what else can be done with whatever serves it. */

export interface Target extends AsyncDisposable {
  /** As on the command line and in tables. */
  readonly name: string;
  /** Where the workloads work. Absent: a backup program, which has no directory. */
  readonly directory?: string;
  /** Processes that serve the directory; none: the kernel alone. */
  daemonPids(): readonly number[];
  /** Ends the mount and mounts it again, so that the kernel forgets what it had cached. */
  remount?(): Promise<void>;
  /** Brings everything that was written to the store. Absent: there is no store behind a cache. */
  flush?(): Promise<void>;
  /** Forgets all file data that the store has: what is read next comes from there. */
  emptyCache?(): Promise<void>;
  /** A copy of a directory by reference; both names are relative to `directory`. */
  snapshot?(source: string, target: string): Promise<void>;
  /** Ends the mount once everything is stored. */
  unmount?(): Promise<void>;
  /** Mounts again, with what is left on this machine or without. */
  mount?(options: { readonly forgetLocalState: boolean }): Promise<void>;
  /** Backs the directory up, until all of it is in the store. Resolves to what a program used that is no daemon. */
  backup?(source: string): Promise<ProgramUsage | undefined>;
  /** Puts the newest backup into a directory. */
  restore?(into: string): Promise<ProgramUsage | undefined>;
}

/** Of a program that ran and ended. */
export interface ProgramUsage {
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

/** Makes a target below an empty directory. */
export interface TargetKind {
  readonly name: string;
  readonly description: string;
  /** Programs that must be installed. */
  readonly programs: readonly string[];
  create(workDirectory: string): Promise<Target>;
}
