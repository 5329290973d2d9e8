/** umount.s3ql. */
import { EXIT_OK } from '../cli/exit-codes.ts';
import { umountSpec } from '../cli/options/umount.ts';
import { openCommandOutput } from '../cli/output.ts';
import { parseCommand } from '../cli/parse-command.ts';
import { unmount } from '../cli/unmount.ts';

export async function run(argv: readonly string[]): Promise<number> {
  const options = parseCommand(umountSpec, argv);
  using output = await openCommandOutput(options, umountSpec.program);
  await unmount(options.mountpoint, options.lazy, output);
  return EXIT_OK;
}
