/** Figures of a semiseparable kernel: its heads, their sum, its logarithm, and the singular values of its corner. */
import { type Matrix, newColumns, singularValues, subMatrix } from '@statespace/ssd-core/structure';
import type { TopLevelSpec } from 'vega-lite';
import { type HeatMapPanel, heatMapFigure } from '../../figures/heat-map-figure.js';
import { lineFigure } from '../../figures/line-figure.js';
import { cornerBlock } from './softmax-kernel.js';
import type { SumOfHeads } from './sum-of-heads.js';

/** More steps make cells too small to see, and files too large to open. */
const mostSteps = 64;
const mostHeads = 4;

/** The two figures of an experiment, by file name. */
export function kernelFigures(
  title: string,
  prefix: string,
  { kernel, heads }: Pick<SumOfHeads, 'kernel' | 'heads'>,
): Record<string, TopLevelSpec> {
  return {
    [`${prefix}_kernel`]: kernelHeatMap(title, kernel, heads),
    [`${prefix}_corner_singular_values`]: cornerFigure(kernel, heads.length),
  };
}

/** Heads and sum on one scale, and log10|M|; marks stand above the new columns. */
export function kernelHeatMap(title: string, kernel: Matrix, heads: readonly Matrix[]): TopLevelSpec {
  const shown = [...heads.slice(0, mostHeads), kernel].map(leadingBlock);
  const values = shown.flatMap(({ data }) => [...data]);
  const range = [Math.min(...values), Math.max(...values)] as const;
  const colours = range[0] < 0 ? 'signed' : 'positive';
  const sum = shown.at(-1) as Matrix;
  const marked = newColumns(sum);
  const panels: HeatMapPanel[] = [
    ...shown
      .slice(0, -1)
      .map((matrix, n): HeatMapPanel => ({ title: `head ${n + 1}`, matrix, colours, range })),
    { title: 'sum of the heads, M', matrix: sum, colours, range, markedColumns: marked },
    { title: 'log₁₀|M|', matrix: sum, colours: 'log' },
  ];
  const cut = kernel.rows > mostSteps ? `, first ${mostSteps} of ${kernel.rows} steps` : '';
  const left = heads.length > mostHeads ? `, ${mostHeads} of ${heads.length} heads` : '';
  const subtitle = [
    `T = ${kernel.rows}, N = ${heads.length}${cut}${left}`,
    `▼ ${marked.length} new columns: not in the span of the columns before`,
  ];
  return heatMapFigure({ title, subtitle, panels, columns: panels.length % 3 === 0 ? 3 : 2 });
}

/** Singular values of M[T/2:, :T/2] over the largest: N of them, and rounding. */
export function cornerFigure(kernel: Matrix, dState: number): TopLevelSpec {
  const corner = cornerBlock(kernel);
  const values = singularValues(corner);
  const largest = values[0] ?? 0;
  const points = [...values]
    .map((value, i) => ({ x: i + 1, y: value / largest }))
    // Zeros, and what underflows, have no place on a logarithmic axis.
    .filter(({ y }) => y > 1e-40);
  const last = Math.max(values.length, 2);
  const tau = Math.max(corner.rows, corner.cols) * 2 ** -52;
  return lineFigure({
    title: 'Singular values of the corner',
    subtitle: [`M[T/2:, :T/2], T = ${kernel.rows}, N = ${dState}`],
    x: { title: 'index i', range: [0.5, last + 0.5], format: 'd' },
    y: { title: 'σᵢ / σ₁', scale: 'log', range: [1e-18, 3] },
    series: [{ label: 'singular values', points }],
    guides: [
      {
        label: 'tolerance τ',
        points: [
          { x: 0.5, y: tau },
          { x: last + 0.5, y: tau },
        ],
      },
    ],
  });
}

function leadingBlock(matrix: Matrix): Matrix {
  const steps = Math.min(matrix.rows, mostSteps);
  return subMatrix(matrix, 0, steps, 0, steps);
}
