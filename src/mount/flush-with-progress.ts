/** Everything dirty goes to the store, and whoever waits sees how far it is. */
import type { BlockCache } from '../blocks/block-cache.ts';
import type { ProgressReporter } from '../util/progress.ts';

export async function flushWithProgress(blocks: BlockCache, progress: ProgressReporter): Promise<void> {
  using step = progress.step('Uploading data', 'blocks');
  await blocks.flush(undefined, {
    onProgress: ({ blocksDone, blocksTotal, bytesDone, bytesTotal }) =>
      step.update({ done: blocksDone, total: blocksTotal, bytesDone, bytesTotal }),
  });
}
