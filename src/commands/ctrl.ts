/** s3qlctrl. */
import { ControlFile } from '../cli/control-file.ts';
import { controlRequest } from '../cli/control-request.ts';
import { EXIT_OK } from '../cli/exit-codes.ts';
import { ctrlSpec } from '../cli/options/ctrl.ts';
import { openCommandOutput } from '../cli/output.ts';
import { withMountProgress } from '../cli/with-mount-progress.ts';
import { parseCommand } from '../cli/parse-command.ts';

export async function run(argv: readonly string[]): Promise<number> {
  const options = parseCommand(ctrlSpec, argv);
  const request = controlRequest(options.action, options.values);
  using output = await openCommandOutput(options, ctrlSpec.program);
  const control = await ControlFile.find(options.mountpoint);
  await withMountProgress(control, output, (listener) => request(control, listener));
  return EXIT_OK;
}
