/** The figure of a training run: loss against steps, training and held-out, with reference lines. */
import type { TopLevelSpec } from 'vega-lite';
import { palette } from './palette.js';
import { figureFrame } from './theme.js';

/** A loss at a step. */
export interface LossPoint {
  readonly step: number;
  /** Nats per token. */
  readonly loss: number;
}

/** A horizontal line to compare with, such as the entropy of a bigram model. */
export interface ReferenceLine {
  readonly label: string;
  /** Nats per token. */
  readonly value: number;
}

export interface LossFigureData {
  readonly title: string;
  readonly subtitle?: string;
  readonly train: readonly LossPoint[];
  readonly heldOut: readonly LossPoint[];
  readonly references?: readonly ReferenceLine[];
}

const series = { train: 'training', heldOut: 'held out' } as const;

/** A Vega-Lite specification, data included, of the loss in nats per token against optimiser steps. */
export function lossFigure(figure: LossFigureData): TopLevelSpec {
  const points = [
    ...figure.train.map((point) => ({ ...point, series: series.train })),
    ...figure.heldOut.map((point) => ({ ...point, series: series.heldOut })),
  ];
  const lastStep = Math.max(1, ...points.map(({ step }) => step));
  const references = (figure.references ?? []).map((line) => ({ ...line, step: lastStep }));
  return {
    ...figureFrame(figure),
    width: 640,
    height: 380,
    layer: [...referenceLayers(references), ...lossLayers(points, lastStep, lossRange(figure))],
  };
}

/** The vertical range: the curves from their first tenth on, the reference lines, and a margin. */
function lossRange({ train, heldOut, references = [] }: LossFigureData): [number, number] {
  const settled = train.slice(Math.floor(train.length / 50));
  const values = [...settled, ...heldOut]
    .map(({ loss }) => loss)
    .concat(references.map(({ value }) => value));
  if (values.length === 0) return [0, 1];
  const least = Math.min(...values);
  const most = Math.max(...values);
  const margin = 0.04 * Math.max(most - least, 1e-6);
  return [least - margin, most + margin];
}

type Layer = Extract<TopLevelSpec, { layer: unknown }>['layer'][number];

function lossLayers(points: readonly object[], lastStep: number, range: [number, number]): Layer[] {
  const encoding = {
    x: {
      field: 'step',
      type: 'quantitative' as const,
      title: 'optimiser step',
      axis: { tickCount: 7, labelFlush: false },
      scale: { domain: [0, lastStep], nice: false },
    },
    y: {
      field: 'loss',
      type: 'quantitative' as const,
      title: 'loss (nats per token)',
      axis: { tickCount: 8 },
      scale: { domain: range, zero: false, nice: true, clamp: true },
    },
    color: {
      field: 'series',
      type: 'nominal' as const,
      title: null,
      scale: { domain: [series.train, series.heldOut], range: [palette.sky, palette.vermillion] },
    },
  };
  return [
    {
      data: { values: points as Record<string, unknown>[] },
      transform: [{ filter: { field: 'series', equal: series.train } }],
      mark: { type: 'line', strokeWidth: 1.5 },
      encoding,
    },
    {
      data: { values: points as Record<string, unknown>[] },
      transform: [{ filter: { field: 'series', equal: series.heldOut } }],
      mark: { type: 'line', strokeWidth: 2.5, point: { size: 36, filled: true } },
      encoding,
    },
  ];
}

function referenceLayers(lines: readonly object[]): Layer[] {
  if (lines.length === 0) return [];
  const data = { values: lines as Record<string, unknown>[] };
  const y = { field: 'value', type: 'quantitative' as const };
  return [
    {
      data,
      mark: { type: 'rule', color: palette.grey, strokeDash: [6, 4], strokeWidth: 1.2 },
      encoding: { y },
    },
    {
      data,
      mark: {
        type: 'text',
        // In the margin, where no curve can cross it.
        align: 'left',
        baseline: 'middle',
        dx: 8,
        color: palette.grey,
        fontSize: 12,
      },
      encoding: { x: { field: 'step', type: 'quantitative' }, y, text: { field: 'label' } },
    },
  ];
}
