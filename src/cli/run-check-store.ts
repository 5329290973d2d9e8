/** s3ql check-store: what it does around the checks themselves, and how it tells what they found. */
import type { BackendSpec } from '../backends/backend-factory.ts';
import type { CheckResult, Measurement, StoreReport } from '../backends/check-store/report.ts';
import type { ProgressReporter } from '../util/progress.ts';
import { EXIT_OK, EXIT_UNSUITABLE_STORE } from './exit-codes.ts';
import { formatBytes } from './format.ts';
import { checkStoreSpec } from './options/check-store.ts';
import { openCommandOutput } from './output.ts';
import { parseCommand } from './parse-command.ts';
import { InterruptedError } from './report-error.ts';
import { abortOnInterrupt } from './run-mkfs.ts';
import { SecretReader } from './secret-reader.ts';
import { storageSettings } from './storage-settings.ts';

export type CheckStoreAt = (
  spec: BackendSpec,
  interaction: { readonly progress: ProgressReporter; readonly signal: AbortSignal },
) => Promise<StoreReport>;

/** What other commands let users choose and what has no meaning here. */
const UNUSED = { cachedir: undefined, maxThreads: undefined, uploadLimit: undefined, downloadLimit: undefined };
const TITLE_WIDTH = 32;

/** The command. Returns its exit code. */
export async function runCheckStore(argv: readonly string[], checkStoreAt: CheckStoreAt): Promise<number> {
  const options = parseCommand(checkStoreSpec, argv);
  using output = await openCommandOutput(options, checkStoreSpec.program);
  const { backend } = await storageSettings({ ...options, ...UNUSED }, new SecretReader());
  using interrupt = abortOnInterrupt();
  const { signal } = interrupt;
  try {
    const report = await checkStoreAt(backend, { progress: output.progress, signal });
    process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : reportText(report));
    return report.usable ? EXIT_OK : EXIT_UNSUITABLE_STORE;
  } catch (error) {
    throw signal.aborted ? new InterruptedError({ cause: error }) : error;
  }
}

/** Exported for its test. */
export function reportText({ storageUrl, usable, checks, measurements }: StoreReport): string {
  const lacking = checks.filter(({ outcome }) => outcome === 'not offered');
  const verdict = usable
    ? lacking.length === 0
      ? 'S3QL can use this store, with everything it knows to make use of.'
      : 'S3QL can use this store.'
    : 'S3QL must not rely on this store.';
  return [
    `${storageUrl}\n`,
    ...checks.map(checkLine),
    '',
    ...measurements.map(measurementLine),
    '',
    verdict,
    ...new Set(
      checks.flatMap(({ outcome, consequence }) => (outcome === 'passed' || consequence === undefined ? [] : [`- ${consequence}`])),
    ),
    '',
  ].join('\n');
}

function checkLine({ title, outcome, problem }: CheckResult): string {
  switch (outcome) {
    case 'passed':
      return `  yes  ${title}`;
    case 'failed':
      return `  NO   ${title}\n       ${problem}`;
    default:
      return `  -    ${title}: not offered`;
  }
}

function measurementLine({ title, medianMs, slowestMs, bytesPerSecond }: Measurement): string {
  const rate = bytesPerSecond === undefined ? '' : `, ${formatBytes(Math.round(bytesPerSecond))}/s`;
  return `  ${`${title}:`.padEnd(TITLE_WIDTH)} ${milliseconds(medianMs)} (median), ${milliseconds(slowestMs)} (slowest)${rate}`;
}

function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
