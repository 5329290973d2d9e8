/** The results as bars: a panel per workload, a bar per target. SVG, drawn without a browser. */
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { OURS, rowsOf } from '../print-table.ts';
import type { Results } from '../results.ts';

const PANEL_WIDTH = 220;
const BAR_HEIGHT = 13;
const COLUMNS = 3;
const OUR_COLOR = '#c2410c';
const OTHER_COLOR = '#94a3b8';

/** One picture of the named workloads. */
export function drawChart(results: Results, workloads: readonly string[]): Promise<string> {
  const spec: TopLevelSpec = {
    background: 'white',
    columns: COLUMNS,
    concat: results.workloads.filter(({ name }) => workloads.includes(name)).map((workload) => panel(results, workload)),
    config: { axis: { grid: false }, view: { stroke: null }, title: { fontSize: 11, anchor: 'start' } },
  };
  return new View(parse(compile(spec).spec), { renderer: 'none' }).toSVG();
}

function panel(
  results: Results,
  { name, title, unit }: Results['workloads'][number],
): Extract<TopLevelSpec, { concat: unknown }>['concat'][number] {
  const values = rowsOf(results, name).map((row) => ({ ...row, isOurs: row.target.startsWith(OURS) }));
  const y = { field: 'target', type: 'nominal', sort: null, title: null } as const;
  return {
    title: `${title} (${unit})`,
    data: { values },
    width: PANEL_WIDTH,
    height: { step: BAR_HEIGHT },
    layer: [
      {
        mark: 'bar',
        encoding: {
          x: { field: 'median', type: 'quantitative', title: null, axis: { tickCount: 4, format: '~s' } },
          y,
          color: { condition: { test: 'datum.isOurs', value: OUR_COLOR }, value: OTHER_COLOR },
        },
      },
      { mark: { type: 'rule', strokeWidth: 1 }, encoding: { x: { field: 'smallest', type: 'quantitative' }, x2: { field: 'largest' }, y } },
    ],
  };
}
