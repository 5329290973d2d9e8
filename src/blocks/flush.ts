/** Uploads a list of blocks, several at a time, with progress. */
import type { FlushOptions } from './block-cache.ts';
import type { CachedBlock } from './cached-block.ts';
import type { Uploader } from './uploader.ts';

/**
 * Uploads and links what the blocks are now. After the first failure no further upload is begun; everything that failed stays dirty.
 * @throws FsError EIO or ENOSPC (with the store's error as cause); the signal's reason
 */
export async function flushBlocks(blocks: readonly CachedBlock[], uploader: Uploader, { signal, onProgress }: FlushOptions): Promise<void> {
  const bytesTotal = blocks.reduce((sum, entry) => sum + entry.lengthBytes, 0);
  let blocksDone = 0;
  let bytesDone = 0;
  let next = 0;
  let failure: unknown;
  const work = async (): Promise<void> => {
    for (;;) {
      const entry = blocks[next];
      if (!entry || failure !== undefined || signal?.aborted) return;
      next += 1;
      const { lengthBytes } = entry;
      try {
        await uploader.uploadNow(entry);
      } catch (error) {
        failure ??= error;
        return;
      }
      blocksDone += 1;
      bytesDone += lengthBytes;
      onProgress?.({ blocksDone, blocksTotal: blocks.length, bytesDone, bytesTotal });
    }
  };
  signal?.throwIfAborted();
  const all = Promise.all(Array.from({ length: uploader.limit }, work));
  // Uploads that are under way go on by themselves, as if their time had come.
  await (signal ? Promise.race([all, aborted(signal, all)]) : all);
  if (failure !== undefined) throw failure;
}

/** Rejects when the signal is aborted, unless `done` comes first. */
function aborted(signal: AbortSignal, done: Promise<unknown>): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort);
  void done.finally(() => signal.removeEventListener('abort', onAbort));
  return promise;
}
