/** s3qlstat. */
import { ControlFile } from '../cli/control-file.ts';
import { EXIT_OK } from '../cli/exit-codes.ts';
import { statSpec } from '../cli/options/stat.ts';
import { openCommandOutput } from '../cli/output.ts';
import { withMountProgress } from '../cli/with-mount-progress.ts';
import { parseCommand } from '../cli/parse-command.ts';
import { stateText } from '../cli/state-text.ts';
import { statisticsJson, statisticsText } from '../cli/statistics-text.ts';

export async function run(argv: readonly string[]): Promise<number> {
  const options = parseCommand(statSpec, argv);
  using _output = await openCommandOutput(options, statSpec.program);
  const control = await ControlFile.find(options.mountpoint);
  const [figures, store, state] = await Promise.all([control.statistics(), control.storeMetrics(), control.state()]);
  const more = options.json ? await report(control) : {};
  process.stdout.write(
    options.json ? statisticsJson(figures, store, state, more) : statisticsText(figures, options.raw) + stateText(state, Date.now()),
  );
  return EXIT_OK;
}

/** What only the mount's socket tells; nothing if it is out of reach. */
async function report(control: ControlFile): Promise<Readonly<Record<string, unknown>>> {
  return withMountProgress(control, { display: undefined }, async (listener) => {
    const answer = await listener?.request('statistics').catch(() => undefined);
    return (answer ?? {}) as Record<string, unknown>;
  });
}
