/**
 * What the process at the terminal and the daemon it starts tell each other, over Node's channel between parent and child, until the mount
 * works. Secrets travel only here: never in arguments or the environment.
 */
import type { LogRecord } from '../util/log.ts';
import type { SecretQuestion } from '../util/interaction.ts';
import type { OutputOptions } from './options/shared.ts';
import type { ProgressSnapshot } from './progress.ts';
import type { ErrorReport } from './report-error.ts';

export type ToDaemon<Request> =
  | {
      readonly type: 'start';
      readonly request: Request;
      readonly output: OutputOptions;
      /** How often to send progress; undefined: never. */
      readonly progressIntervalMs: number | undefined;
    }
  | { readonly type: 'answer'; readonly id: number; readonly text: string }
  | { readonly type: 'refusal'; readonly id: number; readonly report: ErrorReport }
  /** The person gave up. */
  | { readonly type: 'interrupt' };

export type FromDaemon =
  | { readonly type: 'log'; readonly record: LogRecord }
  | { readonly type: 'progress'; readonly steps: readonly ProgressSnapshot[] }
  | { readonly type: 'progress-finished'; readonly step: ProgressSnapshot }
  | { readonly type: 'ask'; readonly id: number; readonly question: SecretQuestion }
  /** The mount works: the parent may go. */
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly report: ErrorReport };
