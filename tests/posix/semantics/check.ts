/** How a claim of docs/semantics.md is run: as rows of the conformance suite, or as a function. */
import type { MountTarget } from '../../support/mount-target.ts';
import type { SyscallAgent } from '../../support/syscall-agent.ts';
import type { Row } from '../row.ts';

export interface CheckContext {
  readonly target: MountTarget;
  readonly agent: SyscallAgent;
  /** Empty, of the check's own. */
  readonly directory: string;
}

export type Check = ReadonlyArray<Omit<Row, 'name'>> | ((context: CheckContext) => Promise<void>);

/** By the id in the page. */
export type Checks = Readonly<Record<string, Check>>;
