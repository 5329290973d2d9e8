/** The exerciser as a process of its own: a file system that hangs must not hang the test runner. Talks to fsx.ts over Node's channel. */
import { once } from 'node:events';
import { Exerciser, type ExerciserOptions } from './exerciser.ts';
import { Deviation } from './mirrored-file.ts';

/** What the exerciser asks of, and reports to, the test. */
export type ExerciserMessage = { readonly wants: 'remount' | 'drop caches' } | { readonly deviation: string } | { readonly done: true };

async function ask(wants: 'remount' | 'drop caches'): Promise<void> {
  send({ wants });
  await once(process, 'message');
}

function send(message: ExerciserMessage): void {
  process.send?.(message);
}

const [options] = (await once(process, 'message')) as [ExerciserOptions];
const exerciser = new Exerciser(options, { remount: () => ask('remount'), dropCaches: () => ask('drop caches') });
try {
  await exerciser.run();
  send({ done: true });
} catch (error) {
  if (!(error instanceof Deviation)) throw error;
  send({ deviation: error.message });
}
process.disconnect?.();
