/** Where the progress of long steps is shown: on a terminal as one line that is overwritten in place, elsewhere as lines, or as JSON. */
import { formatBytes, formatDuration } from './format.ts';
import type { ProgressDisplay, ProgressSnapshot } from './progress.ts';
import type { Terminal } from './terminal.ts';

/** How often a step is shown. */
const TERMINAL_INTERVAL_MS = 250;
const LINE_INTERVAL_MS = 5000;
const JSON_INTERVAL_MS = 1000;

/** Overwrites the terminal's status line. */
export function terminalDisplay(terminal: Terminal): ProgressDisplay {
  return {
    intervalMs: TERMINAL_INTERVAL_MS,
    show: (steps) => terminal.status(steps.map(progressText).join(' | ')),
    finished: (step) => terminal.line(finishedText(step)),
  };
}

/** Writes a line every few seconds. */
export function lineDisplay(writeLine: (line: string) => void): ProgressDisplay {
  return {
    intervalMs: LINE_INTERVAL_MS,
    show: (steps) => steps.forEach((step) => writeLine(progressText(step))),
    finished: (step) => writeLine(finishedText(step)),
  };
}

/** Writes `{"progress":{...}}` lines. */
export function jsonDisplay(writeLine: (line: string) => void): ProgressDisplay {
  return {
    intervalMs: JSON_INTERVAL_MS,
    show: (steps) => steps.forEach((step) => writeLine(JSON.stringify({ progress: { ...step, finished: false } }))),
    finished: (step) => writeLine(JSON.stringify({ progress: { ...step, finished: true } })),
  };
}

/** `Uploading data: 12 of 40 blocks, 1.20 MiB of 4.00 MiB (30 %), 0.40 MiB/s, 7 s left`. */
export function progressText(step: ProgressSnapshot): string {
  const { done, total, bytesDone, bytesTotal, itemsPerSecond, bytesPerSecond, leftMs } = step;
  const parts = [];
  if (done !== undefined) parts.push(total === undefined ? `${done} ${step.unit}` : `${done} of ${total} ${step.unit}`);
  if (bytesDone !== undefined)
    parts.push(bytesTotal === undefined ? formatBytes(bytesDone) : `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`);
  const share =
    bytesTotal !== undefined && bytesTotal > 0
      ? (bytesDone ?? 0) / bytesTotal
      : total !== undefined && total > 0
        ? (done ?? 0) / total
        : undefined;
  if (share !== undefined && parts.length > 0) parts[parts.length - 1] += ` (${Math.floor(Math.min(1, share) * 100)} %)`;
  if (bytesPerSecond !== undefined) parts.push(`${formatBytes(Math.round(bytesPerSecond))}/s`);
  else if (itemsPerSecond !== undefined) parts.push(`${Math.round(itemsPerSecond)} ${step.unit}/s`);
  if (leftMs !== undefined) parts.push(`${formatDuration(leftMs)} left`);
  return parts.length === 0 ? `${step.title}...` : `${step.title}: ${parts.join(', ')}`;
}

function finishedText(step: ProgressSnapshot): string {
  const parts = [];
  if (step.done !== undefined) parts.push(`${step.done} ${step.unit}`);
  if (step.bytesDone !== undefined) parts.push(formatBytes(step.bytesDone));
  const what = parts.length > 0 ? `${parts.join(', ')} ` : '';
  return `${step.title}: ${what}in ${formatDuration(step.elapsedMs)}`;
}
