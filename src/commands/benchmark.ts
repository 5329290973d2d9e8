/** `s3ql benchmark`: measures, and recommends settings. */
import { runBenchmark } from '../cli/run-benchmark.ts';
import { benchmark } from '../mount/benchmark/benchmark.ts';

export function run(argv: readonly string[]): Promise<number> {
  return runBenchmark(argv, benchmark);
}
