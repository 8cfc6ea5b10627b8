/** Lines with bands against a size: ranks against N or T, times against T. */
import type { TopLevelSpec } from 'vega-lite';
import { palette, seriesColours, seriesShapes } from './palette.js';
import { columnPlot, type FigureTitle, figureFrame } from './theme.js';

/** An axis. */
export interface FigureAxis {
  /** With its unit. */
  readonly title: string;
  /** Default linear. */
  readonly scale?: 'linear' | 'log';
  /** Where the ticks are; default is for the renderer to choose. */
  readonly ticks?: readonly number[];
  /** How ticks are written, as in d3-format; default plain, and `1e-6` below a thousandth. */
  readonly format?: string;
  /** First and last value; default is what the points fill. */
  readonly range?: readonly [number, number];
}

/** A mean and how far it may be off. */
export interface BandPoint {
  readonly x: number;
  readonly y: number;
  /** Edges of the band; without them the point has none. */
  readonly low?: number;
  readonly high?: number;
}

export interface BandSeries {
  readonly label: string;
  readonly points: readonly BandPoint[];
  /** Without marks on the points, where there are many. */
  readonly plain?: boolean;
  /** Without a line between the points, where nothing is known there. */
  readonly unjoined?: boolean;
}

/** A thin line to compare with, such as y = N or a slope; named at its right end. */
export interface GuideLine {
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface LineFigureData extends FigureTitle {
  readonly x: FigureAxis;
  readonly y: FigureAxis;
  /** Six at most. */
  readonly series: readonly BandSeries[];
  readonly guides?: readonly GuideLine[];
}

// A solid line is a dash longer than any line: PDF refuses gaps of zero.
const seriesDashes = [
  [10_000, 1],
  [7, 3],
  [2, 2],
  [8, 2, 2, 2],
  [4, 4],
  [1, 3],
  [12, 3, 2, 3],
];

/** A Vega-Lite specification, data included, for one column of a paper. */
export function lineFigure(figure: LineFigureData): TopLevelSpec {
  return {
    ...figureFrame(figure),
    ...columnPlot,
    layer: [...guideLayers(figure), ...seriesLayers(figure)],
    resolve: { legend: { color: 'shared', shape: 'shared', strokeDash: 'shared' } },
  };
}

type Layer = Extract<TopLevelSpec, { layer: unknown }>['layer'][number];

function seriesLayers(figure: LineFigureData): Layer[] {
  const rows = figure.series.flatMap(({ label, points }) =>
    points.map((point) => ({ ...point, series: label })),
  );
  const marked = figure.series.filter(({ plain }) => plain !== true).map(({ label }) => label);
  const joined = figure.series.filter(({ unjoined }) => unjoined !== true).map(({ label }) => label);
  const labels = figure.series.map(({ label }) => label);
  const styled = <T>(range: readonly T[]) => ({
    field: 'series',
    type: 'nominal' as const,
    title: null,
    scale: { domain: labels, range: labels.map((_, i) => range[i % range.length] as T) },
    legend: labels.length > 1 ? legend(labels) : null,
  });
  const { x, y } = positions(figure);
  const color = styled(seriesColours);
  return [
    {
      data: { values: rows.filter(({ low, high }) => low !== undefined && high !== undefined) },
      mark: { type: 'area', opacity: 0.25, clip: true },
      encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
    },
    {
      data: { values: rows.filter(({ series }) => joined.includes(series)) },
      mark: { type: 'line', strokeWidth: 2, clip: true },
      encoding: { x, y, color, strokeDash: styled(seriesDashes) },
    },
    {
      data: { values: rows.filter(({ series }) => marked.includes(series)) },
      mark: { type: 'point', filled: true, size: 45, opacity: 1, clip: true },
      encoding: { x, y, color, shape: styled(seriesShapes) },
    },
  ];
}

function legend(labels: readonly string[]) {
  // Side by side where the labels fit the column.
  const short = labels.join('').length + 4 * labels.length <= 40;
  return {
    orient: 'top' as const,
    direction: short ? ('horizontal' as const) : ('vertical' as const),
    symbolOpacity: 1,
    symbolStrokeWidth: 0,
    // The renderer takes letters to be wider than they are.
    labelLimit: 1.5 * columnPlot.width,
  };
}

function guideLayers(figure: LineFigureData): Layer[] {
  const encoding = positions(figure);
  return (figure.guides ?? []).flatMap(({ label, points }): Layer[] => [
    {
      data: { values: [...points] },
      mark: { type: 'line', color: palette.grey, strokeDash: [4, 3], strokeWidth: 1.2, clip: true },
      encoding,
    },
    {
      data: { values: points.slice(-1) },
      mark: { type: 'text', text: label, align: 'left', dx: 6, color: palette.grey, fontSize: 12 },
      encoding,
    },
  ]);
}

function positions({ x, y, series, guides = [] }: LineFigureData) {
  const points = [...series, ...guides].flatMap((line): readonly BandPoint[] => line.points);
  const heights = points.flatMap(({ y, low = y, high = y }) => [low, y, high]);
  return {
    x: {
      field: 'x',
      type: 'quantitative' as const,
      ...position(
        x,
        points.map((point) => point.x),
      ),
    },
    y: { field: 'y', type: 'quantitative' as const, ...position(y, heights) },
  };
}

function position({ title, scale = 'linear', ticks, format, range }: FigureAxis, values: readonly number[]) {
  const own = ticks ?? (scale === 'log' ? logTicks(range ?? values) : undefined);
  return {
    title,
    axis: {
      ...(format === undefined ? { labelExpr: tickText } : { format }),
      ...(own === undefined ? { tickCount: 6 } : { values: [...own] }),
    },
    scale: {
      type: scale,
      nice: false,
      ...(scale === 'log' ? {} : { zero: false }),
      ...(range === undefined ? { padding: 8 } : { domain: [...range] }),
    },
  };
}

const tickText = "format(datum.value, datum.value !== 0 && abs(datum.value) < 0.001 ? '~e' : '~g')";

/** Powers of ten over the values, not too close; twos and fives between them where there are less than three. */
function logTicks(values: readonly number[]): number[] {
  const positive = values.filter((value) => value > 0);
  const [least, most] = [Math.min(...positive), Math.max(...positive)];
  const [first, last] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
  const step = Math.ceil((last - first + 1) / 8);
  const within = (ticks: readonly number[]): number[] =>
    ticks.filter((tick) => tick >= least / 1.2 && tick <= most * 1.2);
  const powers: number[] = [];
  for (let power = Math.ceil(first / step) * step; power <= last; power += step) {
    powers.push(Number(`1e${power}`));
  }
  const tens = within(powers);
  return tens.length >= 3 ? tens : within(powers.flatMap((tick) => [tick, 2 * tick, 5 * tick]));
}
