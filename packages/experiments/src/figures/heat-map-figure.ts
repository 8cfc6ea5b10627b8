/** Matrices as heat maps side by side: semiseparable kernels, their heads, their logarithms. */
import type { TopLevelSpec } from 'vega-lite';
import { palette } from './palette.js';
import { type FigureTitle, figureFrame } from './theme.js';

/** A matrix, row-major. */
export interface HeatMapMatrix {
  readonly rows: number;
  readonly cols: number;
  readonly data: ArrayLike<number>;
}

export interface HeatMapPanel {
  readonly title: string;
  readonly matrix: HeatMapMatrix;
  /**
   * Colours. `positive`: from 0 up; `signed`: white at 0, one colour for each sign; `log`: log10 of the absolute value.
   * Zeros stay white in all of them.
   */
  readonly colours: 'positive' | 'signed' | 'log';
  /** Values at the ends of the colours; default is what the matrix fills. */
  readonly range?: readonly [number, number];
  /** Columns that get a mark above. */
  readonly markedColumns?: readonly number[];
  /** Diagonal blocks [begin, end) that get a frame. */
  readonly blocks?: readonly { readonly begin: number; readonly end: number }[];
}

export interface HeatMapFigureData extends FigureTitle {
  readonly panels: readonly HeatMapPanel[];
  /** Panels in a row; default 3. */
  readonly columns?: number;
  /** What row and column are; default output step t and input step s. */
  readonly axes?: { readonly row: string; readonly column: string };
}

/** Side of a panel, pixels, at most. */
const panelSize = 150;
/** The smallest power of ten that the logarithm of a range shows, below its largest value. */
const decades = 16;

/** A Vega-Lite specification, data included. */
export function heatMapFigure(figure: HeatMapFigureData): TopLevelSpec {
  const { panels, columns = 3, axes = { row: 'output step t', column: 'input step s' } } = figure;
  return {
    ...figureFrame(figure),
    concat: panels.map((panel) => panelSpec(panel, axes)),
    columns,
    spacing: 26,
    resolve: { scale: { color: 'independent' } },
  };
}

type Concat = Extract<TopLevelSpec, { concat: unknown }>;
type Panel = Concat['concat'][number];
type Layer = Extract<Panel, { layer: unknown }>['layer'][number];

function panelSpec(panel: HeatMapPanel, axes: { row: string; column: string }): Panel {
  const { rows, cols } = panel.matrix;
  // Whole pixels: edges of cells that fall between two show as a pattern.
  const cell = Math.max(1, Math.floor(panelSize / Math.max(rows, cols)));
  const cells = cellsOf(panel);
  // Neighbours overlap by less than a pixel: renderers of PDF leave a hairline between them otherwise.
  const side = 1 + 0.8 / cell;
  return {
    title: { text: panel.title, fontSize: 13, fontWeight: 'normal', anchor: 'middle', offset: 12 },
    width: cell * cols,
    height: cell * rows,
    layer: [
      {
        data: { values: cells },
        transform: [
          { calculate: `min(datum.s + ${side}, ${cols})`, as: 'right' },
          { calculate: `min(datum.t + ${side}, ${rows})`, as: 'below' },
        ],
        mark: { type: 'rect' },
        encoding: {
          x: position('s', axes.column, cols),
          x2: { field: 'right' },
          y: { ...position('t', axes.row, rows), scale: { domain: [rows, 0], nice: false } },
          y2: { field: 'below' },
          color: {
            field: 'value',
            type: 'quantitative',
            scale: colourScale(panel, cells),
            title: panel.colours === 'log' ? 'log₁₀|M|' : null,
            legend: {
              orient: 'right',
              gradientLength: 0.8 * cell * rows,
              gradientThickness: 10,
              titleFontSize: 11,
              titleFontWeight: 'normal',
              titlePadding: 10,
              labelFontSize: 11,
              tickCount: 4,
            },
          },
        },
      },
      frame(rows, cols),
      ...blockLayer(panel),
      ...markLayer(panel),
    ],
  };
}

interface Cell extends Record<string, number> {
  readonly t: number;
  readonly s: number;
  readonly value: number;
}

/** Every entry that is not zero; an infinite or NaN entry is left white as well. */
function cellsOf({ matrix: { rows, cols, data }, colours }: HeatMapPanel): Cell[] {
  const cells: Cell[] = [];
  for (let t = 0; t < rows; t++) {
    for (let s = 0; s < cols; s++) {
      const entry = data[t * cols + s] as number;
      if (entry === 0 || !Number.isFinite(entry)) continue;
      cells.push({
        t,
        s,
        value: Number((colours === 'log' ? Math.log10(Math.abs(entry)) : entry).toPrecision(5)),
      });
    }
  }
  return cells;
}

// Light on paper where there is little, dark where there is much; each readable without its hue.
const ramp = ['#FFFFFF', '#CFE3F1', palette.sky, palette.blue, '#00304D'];

function colourScale({ colours, range }: HeatMapPanel, cells: readonly Cell[]) {
  const values = cells.map(({ value }) => value);
  const [least, most] = range ?? (values.length === 0 ? [0, 1] : [Math.min(...values), Math.max(...values)]);
  if (colours === 'signed') {
    const extent = Math.max(Math.abs(least), Math.abs(most)) || 1;
    const ends = [palette.vermillion, '#FFFFFF', palette.blue];
    return { domain: [-extent, 0, extent], range: ends, interpolate: 'lab' as const };
  }
  if (colours === 'positive') {
    const top = most > 0 ? most : 1;
    return {
      domain: ramp.map((_, i) => (top * i) / (ramp.length - 1)),
      range: ramp,
      interpolate: 'lab' as const,
      clamp: true,
    };
  }
  const bottom = Math.max(least, most - decades);
  const domain = [bottom, most > bottom ? most : bottom + 1];
  return { domain, scheme: 'viridis' as const, reverse: true, clamp: true };
}

function position(field: string, title: string, count: number) {
  return {
    field,
    type: 'quantitative' as const,
    title,
    scale: { domain: [0, count], nice: false },
    axis: { grid: false, tickCount: Math.min(count, 4), tickMinStep: 1, format: 'd', titlePadding: 4 },
  };
}

function frame(rows: number, cols: number): Layer {
  return {
    data: { values: [{ left: 0, right: cols, above: 0, below: rows }] },
    mark: { type: 'rect', fillOpacity: 0, stroke: palette.grey, strokeWidth: 0.8 },
    encoding: corners,
  };
}

function blockLayer({ blocks = [] }: HeatMapPanel): Layer[] {
  if (blocks.length === 0) return [];
  return [
    {
      data: {
        values: blocks.map(({ begin, end }) => ({ left: begin, right: end, above: begin, below: end })),
      },
      mark: { type: 'rect', fillOpacity: 0, stroke: palette.vermillion, strokeWidth: 1.8 },
      encoding: corners,
    },
  ];
}

const corners = {
  x: { field: 'left', type: 'quantitative' as const },
  x2: { field: 'right' },
  y: { field: 'above', type: 'quantitative' as const },
  y2: { field: 'below' },
};

function markLayer({ markedColumns = [] }: HeatMapPanel): Layer[] {
  if (markedColumns.length === 0) return [];
  return [
    {
      data: { values: markedColumns.map((column) => ({ centre: column + 0.5 })) },
      mark: {
        type: 'point',
        shape: 'triangle-down',
        filled: true,
        size: 34,
        color: palette.vermillion,
        opacity: 1,
      },
      encoding: { x: { field: 'centre', type: 'quantitative' }, y: { value: -5 } },
    },
  ];
}
