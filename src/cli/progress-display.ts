/** Where the progress of long steps is shown: on a terminal as one line that is overwritten in place, elsewhere as lines, or as JSON. */
import { formatBytes, formatDuration } from './format.ts';
import type { ProgressDisplay, ProgressSnapshot } from './progress.ts';
import type { Terminal } from './terminal.ts';

/** How often a step is shown. */
const TERMINAL_INTERVAL_MS = 250;
const LINE_INTERVAL_MS = 5000;
const JSON_INTERVAL_MS = 1000;
/** Between the steps of a status line. */
const SEPARATOR = ' | ';

/** Overwrites the terminal's status line. */
export function terminalDisplay(terminal: Terminal): ProgressDisplay {
  return {
    intervalMs: TERMINAL_INTERVAL_MS,
    show: (steps) => {
      const columns = Math.floor((terminal.statusColumns + SEPARATOR.length) / steps.length) - SEPARATOR.length;
      terminal.status(steps.map((step) => progressText(step, columns)).join(SEPARATOR));
    },
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

/**
 * `Uploading data: 12 of 40 blocks, 1.20 MiB of 4.00 MiB (30 %), 0.40 MiB/s, 7 s left`. Where that is too long, the count goes first, as sizes say the
 * same, then the rate.
 */
export function progressText(step: ProgressSnapshot, maximumLength: number = Number.POSITIVE_INFINITY): string {
  const { bytesDone, bytesTotal, bytesPerSecond, itemsPerSecond, leftMs } = step;
  const items = step.done === undefined ? undefined : `${ofTotal(String(step.done), step.total?.toString())} ${step.unit}`;
  const bytes =
    bytesDone === undefined ? undefined : ofTotal(formatBytes(bytesDone), bytesTotal === undefined ? undefined : formatBytes(bytesTotal));
  const share = shareText(bytesDone, bytesTotal) ?? shareText(step.done, step.total);
  const rate =
    bytesPerSecond !== undefined
      ? `${formatBytes(Math.round(bytesPerSecond))}/s`
      : itemsPerSecond !== undefined
        ? `${Math.round(itemsPerSecond)} ${step.unit}/s`
        : undefined;
  const left = leftMs === undefined ? undefined : `${formatDuration(leftMs)} left`;
  const text = (amounts: readonly (string | undefined)[], others: readonly (string | undefined)[]): string => {
    const amount = amounts.filter((part) => part !== undefined).join(', ');
    const parts = [amount === '' ? undefined : `${amount}${share ?? ''}`, ...others].filter((part) => part !== undefined);
    return parts.length === 0 ? `${step.title}...` : `${step.title}: ${parts.join(', ')}`;
  };
  const shortest = text([bytes ?? items], [left]);
  return (
    [text([items, bytes], [rate, left]), text([bytes ?? items], [rate, left])].find(({ length }) => length <= maximumLength) ?? shortest
  );
}

function ofTotal(done: string, total: string | undefined): string {
  return total === undefined ? done : `${done} of ${total}`;
}

function shareText(done = 0, total = 0): string | undefined {
  return total > 0 ? ` (${Math.floor(Math.min(1, done / total) * 100)} %)` : undefined;
}

function finishedText(step: ProgressSnapshot): string {
  const parts = [];
  if (step.done !== undefined) parts.push(`${step.done} ${step.unit}`);
  if (step.bytesDone !== undefined) parts.push(formatBytes(step.bytesDone));
  const what = parts.length > 0 ? `${parts.join(', ')} ` : '';
  return `${step.title}: ${what}in ${formatDuration(step.elapsedMs)}`;
}
