/** `npm run bench -- [options]`: compares our mount with every peer that is installed. */
import { writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cleanUpAtTheLatest } from './clean-up.ts';
import { createDataSet, FULL_SIZE, QUICK_SIZE, scaled } from './data/data-set.ts';
import { resultsAsText } from './print-table.ts';
import type { Machine, Measurement, Results } from './results.ts';
import { runBenchmark } from './run-benchmark.ts';
import { allTargets, isInstalled } from './targets/all-targets.ts';
import type { TargetKind } from './targets/target.ts';
import { allWorkloads, selectWorkloads } from './workloads/all-workloads.ts';

const HELP = `npm run bench -- [options]

  --peer NAMES      compare these only, separated by commas (default: all that are installed)
  --workload NAMES  run these only, and what they build on (default: all)
  --rounds N        how often (default: 3)
  --scale SHARE     of the full data (default: 1), for slow peers and busy machines
  --quick           small data, one round: shows that everything works
  --json FILE       write the results there
  --directory DIR   work there (default: the directory for temporary files)

Peers: ${allTargets.map(({ name }) => name).join(', ')}
Workloads: ${allWorkloads.map(({ name }) => name).join(', ')}

Root, for dropping the kernel's caches. docs/performance.md is made from a JSON file by: npm run bench:page -- FILE
`;
const DEFAULT_ROUNDS = 3;

const { values } = parseArgs({
  options: {
    peer: { type: 'string', multiple: true, default: [] },
    workload: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string' },
    scale: { type: 'string', default: '1' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    directory: { type: 'string', default: tmpdir() },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) process.stdout.write(HELP);
else process.exitCode = await main().catch(usageError);

async function main(): Promise<number> {
  const rounds = Number(values.rounds ?? (values.quick ? 1 : DEFAULT_ROUNDS));
  if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError(`--rounds ${values.rounds}`);
  const kinds = selectTargets(names(values.peer));
  const workloads = selectWorkloads(names(values.workload));
  const scale = Number(values.scale);
  if (!(scale > 0 && scale <= 1)) throw new RangeError(`--scale ${values.scale}`);
  const size = values.quick ? QUICK_SIZE : scaled(FULL_SIZE, scale);
  const startedAt = new Date().toISOString();
  const [loadBefore = 0] = loadavg();
  const measurements: Measurement[] = [];
  const resultsSoFar = (): Results => ({
    startedAt,
    machine: machine(loadBefore),
    size: { ...size },
    targets: kinds.map(({ name, description }) => ({ name, description })),
    workloads: workloads.map(({ name, title, unit }) => ({ name, title, unit })),
    measurements,
  });
  await mkdir(values.directory, { recursive: true });
  const workDirectory = await mkdtemp(join(values.directory, 's3ql-bench-'));
  const removeWork = cleanUpAtTheLatest(() => rm(workDirectory, { recursive: true, force: true, maxRetries: 10 }));
  try {
    process.stderr.write('Making the data...\n');
    await using data = await createDataSet(size);
    await runBenchmark({
      kinds,
      workloads,
      rounds,
      data,
      workDirectory,
      onMeasurement: (measurement) => {
        measurements.push(measurement);
        const { target, workload, round, value, error } = measurement;
        process.stderr.write(`${round}/${rounds} ${target} ${workload}: ${error ?? value?.toPrecision(4)}\n`);
        // A run of an hour that is cut short has still found out something.
        if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(resultsSoFar(), undefined, 1)}\n`);
      },
    });
  } finally {
    await removeWork();
  }
  const results = resultsSoFar();
  process.stdout.write(`${resultsAsText(results)}\n`);
  return measurements.some(({ error }) => error !== undefined) ? 1 : 0;
}

/** What a person mistyped is told in a line. */
function usageError(error: unknown): number {
  if (!(error instanceof RangeError)) throw error;
  process.stderr.write(`${error.message}\n`);
  return 2;
}

function machine(loadBefore: number): Machine {
  return {
    processors: cpus().length,
    processorModel: cpus()[0]?.model ?? 'unknown',
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.versions.node,
    loadBefore,
    loadAfter: loadavg()[0] ?? 0,
  };
}

function names(lists: readonly string[]): readonly string[] {
  return lists.flatMap((list) => list.split(',')).filter((name) => name !== '');
}

/** @throws RangeError for an unknown name, or one that is not installed */
function selectTargets(wanted: readonly string[]): readonly TargetKind[] {
  for (const name of wanted) {
    const kind = allTargets.find((candidate) => candidate.name === name);
    if (kind === undefined) throw new RangeError(`no peer "${name}"; there are ${allTargets.map((known) => known.name).join(', ')}`);
    if (!isInstalled(kind)) throw new RangeError(`${name} is not installed`);
  }
  return allTargets.filter((kind) => (wanted.length === 0 ? isInstalled(kind) : wanted.includes(kind.name)));
}
