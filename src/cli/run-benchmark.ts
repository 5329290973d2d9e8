/** `s3ql benchmark`: what it does around the measurements, and how it says what came of them. */
import { formatCompressionSpec } from '../envelope/compression-spec.ts';
import type { BenchmarkResult } from '../mount/benchmark/benchmark.ts';
import type { Interaction } from '../util/interaction.ts';
import { EXIT_OK } from './exit-codes.ts';
import { formatBytes } from './format.ts';
import { interruptible } from './interruptible.ts';
import { benchmarkSpec, type BenchmarkOptions } from './options/benchmark.ts';
import { openCommandOutput } from './output.ts';
import { parseCommand } from './parse-command.ts';
import { SecretReader } from './secret-reader.ts';
import { ensureCachedir, storageSettings, type StorageSettings } from './storage-settings.ts';

export interface BenchmarkRequest extends BenchmarkOptions {
  readonly storage: StorageSettings;
}

/** The command. Returns its exit code. */
export async function runBenchmark(
  argv: readonly string[],
  benchmark: (request: BenchmarkRequest, interaction: Pick<Interaction, 'progress' | 'signal'>) => Promise<BenchmarkResult>,
): Promise<number> {
  const options = parseCommand(benchmarkSpec, argv);
  using output = await openCommandOutput(options, benchmarkSpec.program);
  const storage = await storageSettings(options, new SecretReader());
  ensureCachedir(storage.cachedir);
  const result = await interruptible((signal) => benchmark({ ...options, storage }, { progress: output.progress, signal }));
  process.stdout.write(options.json ? benchmarkJson(result) : benchmarkText(result));
  return EXIT_OK;
}

function benchmarkText({ mount, compressions, uploads, processorCount, recommendation }: BenchmarkResult): string {
  const { compression, threads, connections, bytesPerSecond, limitedBy } = recommendation;
  const mounts =
    'problem' in mount
      ? [`  could not be measured: ${mount.problem}`]
      : mount.rates.map((rate) => `  ${formatBytes(rate.writeBytes).padEnd(10)} at a time: ${perSecond(rate.bytesPerSecond)}`);
  const limits = { mount: 'how fast the mount takes data', compression: 'the processors', upload: 'the connection to the store' };
  const lines = [
    'Writing into a mount:',
    ...mounts,
    `Compressing and encrypting the file (one thread; there are ${processorCount} processors):`,
    ...compressions.map(
      (rate) =>
        `  ${formatCompressionSpec(rate.compression).padEnd(8)} ${perSecond(rate.bytesPerSecond).padStart(14)}, to ${(rate.ratio * 100).toFixed(1)} % of its size`,
    ),
    'Uploading to the store:',
    ...uploads.map((rate) => `  ${`${rate.connections}`.padStart(3)} connections: ${perSecond(rate.bytesPerSecond)}`),
    '',
    `Recommended: --compress ${formatCompressionSpec(compression)} --max-threads ${threads} --max-connections ${connections}`,
    `With that about ${perSecond(bytesPerSecond)} can be stored in the long run; what limits it is ${limits[limitedBy]}.`,
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function benchmarkJson({ compressions, recommendation, ...result }: BenchmarkResult): string {
  return `${JSON.stringify({
    ...result,
    compressions: compressions.map((rate) => ({ ...rate, compression: formatCompressionSpec(rate.compression) })),
    recommendation: { ...recommendation, compression: formatCompressionSpec(recommendation.compression) },
  })}\n`;
}

function perSecond(bytesPerSecond: number): string {
  return `${formatBytes(Math.round(bytesPerSecond))}/s`;
}
