/** What must not stay behind when the benchmark is interrupted: mounts, their processes, data. */

const EXIT_INTERRUPTED = 130;
const pending = new Set<() => Promise<void>>();

/** Has something cleaned up, once: by whoever calls the function returned, or by Ctrl-C or SIGTERM, the latest first. */
export function cleanUpAtTheLatest(cleanUp: () => Promise<void>): () => Promise<void> {
  const once = async (): Promise<void> => {
    if (pending.delete(once)) await cleanUp();
  };
  pending.add(once);
  return once;
}

async function interrupted(): Promise<void> {
  for (const cleanUp of [...pending].toReversed()) {
    await cleanUp().catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
  }
  process.exit(EXIT_INTERRUPTED);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void interrupted());
