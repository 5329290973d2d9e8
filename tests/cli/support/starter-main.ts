/** Starts daemon-main.ts as mount.s3ql starts its daemon. Arguments: the request as JSON, the output options as JSON. */
import { fileURLToPath } from 'node:url';
import type { OutputOptions } from '../../../src/cli/options/shared.ts';
import { openOutput } from '../../../src/cli/output.ts';
import { describeError, formatErrorReport } from '../../../src/cli/report-error.ts';
import { SecretReader } from '../../../src/cli/secret-reader.ts';
import { startDaemon } from '../../../src/cli/start-daemon.ts';
import type { DaemonTestRequest } from './daemon-main.ts';

const request = JSON.parse(process.argv[2] ?? '') as DaemonTestRequest;
const options = JSON.parse(process.argv[3] ?? '') as OutputOptions;
using output = openOutput(options);
try {
  process.exitCode = await startDaemon({
    modulePath: fileURLToPath(new URL('daemon-main.ts', import.meta.url)),
    visibleArguments: ['local:///store/', '/test/mountpoint'],
    request,
    options,
    output,
    secrets: new SecretReader(),
    crashLogPath: `${request.logPath}.crash`,
  });
} catch (error) {
  const report = describeError(error);
  process.stderr.write(formatErrorReport(report, options.json));
  process.exitCode = report.exitCode;
}
