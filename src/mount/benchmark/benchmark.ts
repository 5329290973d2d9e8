/** `s3ql benchmark`: measures, one after the other, all that storing data passes through. */
import { availableParallelism } from 'node:os';
import { connect } from '../../backends/connect.ts';
import type { BenchmarkRequest } from '../../cli/run-benchmark.ts';
import { formatCompressionSpec } from '../../envelope/compression-spec.ts';
import type { Interaction } from '../../util/interaction.ts';
import { MEASURED_COMPRESSIONS, measureCompression, readSample } from './measure-compression.ts';
import { measureMount, type MountRate } from './measure-mount.ts';
import { measureUpload } from './measure-upload.ts';
import { type CompressionRate, type Recommendation, recommend, type UploadRate } from './recommendation.ts';

export interface BenchmarkResult {
  readonly mount: { readonly rates: readonly MountRate[] } | { readonly problem: string };
  readonly compressions: readonly CompressionRate[];
  readonly uploads: readonly UploadRate[];
  readonly processorCount: number;
  readonly recommendation: Recommendation;
}

/** @throws UserError for a file that cannot be read; BackendError subclasses */
export async function benchmark(
  { storage, file, timeMs }: BenchmarkRequest,
  { progress, signal }: Pick<Interaction, 'progress' | 'signal'>,
): Promise<BenchmarkResult> {
  const blocks = await readSample(file);
  await using backend = await connect(storage.backend);
  const uploads = await during('Measuring the store', () => measureUpload(backend, storage.backend.maxConnections, timeMs, signal));
  const mount = await during('Measuring the mount', () =>
    measureMount(storage.cachedir, timeMs, signal).then(
      (rates) => ({ rates }),
      (error: Error) => {
        signal.throwIfAborted();
        return { problem: error.message };
      },
    ),
  );
  const compressions: CompressionRate[] = [];
  for (const compression of MEASURED_COMPRESSIONS) {
    const title = `Measuring ${formatCompressionSpec(compression)}`;
    compressions.push(await during(title, () => measureCompression(blocks, compression, timeMs, signal)));
  }
  const processorCount = availableParallelism();
  const mountBytesPerSecond = 'rates' in mount ? Math.max(...mount.rates.map((rate) => rate.bytesPerSecond)) : undefined;
  const recommendation = recommend({ mountBytesPerSecond, compressions, uploads, processorCount });
  return { mount, compressions, uploads, processorCount, recommendation };

  async function during<T>(title: string, work: () => Promise<T>): Promise<T> {
    using _step = progress.step(title);
    return await work();
  }
}
