/** How a mount is, as s3qlstat prints it behind its figures. */
import type { MountState } from './control-file.ts';

const LABEL_WIDTH = 21;
const UNITS: readonly (readonly [string, number])[] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

/** Undefined (a mount of S3QL itself): nothing. */
export function stateText(state: MountState | undefined, nowMs: number): string {
  if (state === undefined) return '';
  const { store, readOnlyBecause, generation } = state;
  const { failingSinceMs, lastError } = store;
  const when = (timeMs: number): string => `${date(timeMs)} (${age(nowMs - timeMs)} ago)`;
  const lines: (readonly [string, string])[] = [
    ['Store', failingSinceMs === undefined ? 'works' : `does not work since ${when(failingSinceMs)}`],
    ['Mount', readOnlyBecause === undefined ? 'takes changes' : `read-only: ${readOnlyBecause}`],
    [
      'Metadata in store',
      `as of ${when(generation.completedAtMs)}, generation ${generation.seqNo}, ${generation.changesSince} changes since`,
    ],
  ];
  if (state.uploadFailure !== undefined) lines.push(['Last upload', `failed, to be tried again: ${state.uploadFailure}`]);
  if (lastError !== undefined) lines.splice(1, 0, ['Last store error', `${when(lastError.atMs)}: ${lastError.message}`]);
  return lines.map(([label, value]) => `${`${label}:`.padEnd(LABEL_WIDTH)} ${value}\n`).join('');
}

function date(timeMs: number): string {
  return `${new Date(timeMs).toISOString().replace('T', ' ').slice(0, 19)} UTC`;
}

/** In the largest unit of which there is one. */
function age(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1000));
  const [unit, length] = UNITS.find(([, unitSeconds]) => seconds >= unitSeconds) ?? ['second', 1];
  const count = Math.floor(seconds / length);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
