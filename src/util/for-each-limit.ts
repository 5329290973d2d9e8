/**
 * Runs `work` on all items, at most `limit` at a time, in order of the items. After the first failure, or when `signal` is aborted, no
 * further item is begun; rejects with that failure once the ones under way have ended, so that nothing is left running.
 */
export async function forEachLimit<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let failed = false;
  let failure: unknown;
  const lane = async (): Promise<void> => {
    while (!failed) {
      const { done, value } = iterator.next();
      if (done) return;
      try {
        signal?.throwIfAborted();
        await work(value);
      } catch (error) {
        if (!failed) failure = error;
        failed = true;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, limit) }, lane));
  if (failed) throw failure;
}
