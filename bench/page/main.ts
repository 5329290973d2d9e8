/**
 * `npm run bench:page -- RESULTS.json...`: puts the results of a run (or of several, with different peers and the same data) into docs/performance.md, between its two marks, and draws the charts. What
 * is said around them is written by hand.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Results } from '../results.ts';
import { drawChart } from './charts.ts';
import { failureList, machineText, ratioTable, usageTable, valueTable } from './tables.ts';

const PAGE = fileURLToPath(new URL('../../docs/performance.md', import.meta.url));
const CHARTS = fileURLToPath(new URL('../../docs/performance/', import.meta.url));
const BEGIN = '<!-- results: made by npm run bench:page -->';
const END = '<!-- end of results -->';

const GROUPS: readonly { readonly name: string; readonly title: string; readonly workloads: readonly string[] }[] = [
  {
    name: 'metadata',
    title: 'Small files',
    workloads: ['untar', 'flush', 'find-cold', 'find-warm', 'rsync', 'tar-read', 'tar-read-store', 'cp', 'rm', 'snapshot', 'again'],
  },
  {
    name: 'data',
    title: 'Large files, random access, waiting',
    workloads: ['write', 'read-cached', 'read-store', 'fio-write', 'fio-read', 'stall'],
  },
  { name: 'backup', title: 'Backups', workloads: ['backup', 'backup-again', 'restore'] },
  { name: 'mounting', title: 'Many files', workloads: ['tiny', 'unmount-all', 'mount-warm', 'mount-cold', 'unmount-one', 'memory'] },
];

const paths = process.argv.slice(2);
if (paths.length === 0) throw new Error('which results? npm run bench:page -- RESULTS.json...');
const results = together(await Promise.all(paths.map(async (path) => JSON.parse(await readFile(path, 'utf8')) as Results)));
const page = await readFile(PAGE, 'utf8');
const [before, rest] = page.split(BEGIN);
const after = rest?.split(END)[1];
if (before === undefined || after === undefined) throw new Error(`${PAGE} lacks the marks between which the results go`);

const parts = [machineText(results)];
await mkdir(CHARTS, { recursive: true });
for (const { name, title, workloads } of GROUPS) {
  if (!results.workloads.some((workload) => workloads.includes(workload.name))) continue;
  await writeFile(`${CHARTS}${name}.svg`, await drawChart(results, workloads));
  parts.push(`### ${title}`, `![${title}: bars of the medians](performance/${name}.svg)`, valueTable(results, workloads));
}
parts.push('### How many times better than the others', ratioTable(results));
parts.push('### Processor time and peak memory of the daemons', usageTable(results));
const failures = failureList(results);
if (failures !== '') parts.push('### What failed', failures);
await writeFile(PAGE, `${before}${BEGIN}\n\n${parts.join('\n\n')}\n\n${END}${after}`);
await writeFile(`${CHARTS}results.json`, `${JSON.stringify(results)}\n`);

/** Runs of other peers with the same data, as one. */
function together(runs: readonly Results[]): Results {
  const [first] = runs;
  if (first === undefined || runs.some(({ size }) => JSON.stringify(size) !== JSON.stringify(first.size)))
    throw new Error('runs with different data');
  return { ...first, targets: runs.flatMap(({ targets }) => targets), measurements: runs.flatMap(({ measurements }) => measurements) };
}
