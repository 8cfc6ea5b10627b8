/** Figures of the dual condition: examples with their new columns and blocks, and the sweep over beta. */
import {
  bidiagonalExample,
  diagonalBlocks,
  identityPlusCorner,
  type Matrix,
} from '@statespace/ssd-core/structure';
import { Generator } from '@statespace/tensor';
import type { TopLevelSpec } from 'vega-lite';
import { type HeatMapPanel, heatMapFigure } from '../../figures/heat-map-figure.js';
import { lineFigure } from '../../figures/line-figure.js';
import { type SweepRow, sweepLength, sweepStates, sweepTolerance } from './dual-examples.js';
import type { DualMathematics } from './dual-mathematics.js';
import { randomSlowSsm } from './low-rank.js';

/** A matrix of two blocks with one and two new columns: it has a dual of width 2. */
export const blockExample: Matrix = {
  rows: 6,
  cols: 6,
  data: Float64Array.from(
    [
      [1, 0, 0, 0, 0, 0],
      [1, 1, 0, 0, 0, 0],
      [0, 0, 1, 0, 0, 0],
      [0, 0, 1, 1, 0, 0],
      [0, 0, 0, 1, 1, 0],
      [0, 0, 1, 0, 1, 1],
    ].flat(),
  ),
};

/** Six kernels with their new columns marked and their diagonal blocks framed. */
export function examplesFigure(seed: number, maths: DualMathematics): TopLevelSpec {
  const panel = (title: string, matrix: Matrix): HeatMapPanel => {
    const markedColumns = maths.newColumns(matrix, sweepTolerance);
    const blocks = diagonalBlocks(matrix);
    return {
      title: `${title}: ${countByBlock(markedColumns, blocks)} new`,
      matrix,
      colours: matrix.data.some((entry) => entry < 0) ? 'signed' : 'positive',
      markedColumns,
      ...(blocks.length > 1 ? { blocks } : {}),
    };
  };
  const random = maths.kernel(randomSlowSsm(sweepLength, 2, seed));
  const deltaNet = (beta: number) => maths.householderKernel(sweepLength, 2, beta, new Generator(seed, 2));
  return heatMapFigure({
    title: 'Which kernels have a narrow 1-SS dual',
    subtitle: [
      '▼ new columns; frames: diagonal blocks. A dual of width N exists where no block has more than N.',
      'Every kernel here has semiseparable order 2.',
    ],
    panels: [
      panel('random, N = 2', random),
      { title: 'its completion, rank 2', matrix: maths.completion(random).matrix, colours: 'signed' },
      panel('two blocks', blockExample),
      panel('bidiagonal', bidiagonalExample()),
      panel('I + E, T = 8', identityPlusCorner(8)),
      panel('DeltaNet, N = 2, β = 1', deltaNet(1)),
    ],
  });
}

/** `3`, or `1 + 2` for two blocks. */
function countByBlock(
  columns: readonly number[],
  blocks: readonly { readonly begin: number; readonly end: number }[],
): string {
  return blocks
    .map(({ begin, end }) => columns.filter((column) => begin <= column && column < end).length)
    .join(' + ');
}

/** New columns against beta for each number of states. */
export function sweepFigure(rows: readonly SweepRow[]): TopLevelSpec {
  return lineFigure({
    title: 'DeltaNet: new columns of the kernel',
    subtitle: `A = I - βkkᵀ, T = ${sweepLength}; A is singular at β = 1 alone`,
    x: { title: 'β' },
    y: { title: 'new columns', range: [0, sweepLength] },
    series: sweepStates.map((dState) => ({
      label: `N = ${dState}`,
      unjoined: true,
      points: rows
        .filter((row) => row.N === dState)
        .map((row) => ({ x: row.beta, y: row.new_columns }))
        .sort((left, right) => left.x - right.x),
    })),
  });
}
