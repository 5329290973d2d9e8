/** s3qllock. */
import { stat } from 'node:fs/promises';
import { ControlFile } from '../cli/control-file.ts';
import { EXIT_OK } from '../cli/exit-codes.ts';
import { lockSpec } from '../cli/options/lock.ts';
import { openCommandOutput } from '../cli/output.ts';
import { parseCommand } from '../cli/parse-command.ts';

export async function run(argv: readonly string[]): Promise<number> {
  const options = parseCommand(lockSpec, argv);
  using _output = await openCommandOutput(options, lockSpec.program);
  for (const path of options.directories) {
    const control = await ControlFile.find(path);
    const { ino } = await stat(path, { bigint: true });
    await control.lockTree({ path, inode: ino });
  }
  return EXIT_OK;
}
