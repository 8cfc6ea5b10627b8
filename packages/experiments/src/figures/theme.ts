/** The look that all figures share. */
import { palette } from './palette.js';

/** What stands above a figure. */
export interface FigureTitle {
  readonly title: string;
  /** Smaller, below; one line each. */
  readonly subtitle?: string | readonly string[];
}

/** Width and height of a plot that stays readable in one column of a paper, pixels; its text is 11 high and more. */
export const columnPlot = { width: 330, height: 250 } as const;

/** The outer fields of a Vega-Lite specification: schema, title, margins, configuration. */
export function figureFrame({ title, subtitle }: FigureTitle) {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: {
      text: title,
      ...(subtitle === undefined
        ? {}
        : { subtitle: typeof subtitle === 'string' ? subtitle : [...subtitle] }),
      anchor: 'start' as const,
      offset: 12,
    },
    padding: 16,
    background: 'white',
    config: figureConfig,
  };
}

const figureConfig = {
  font: 'DejaVu Sans, Verdana, sans-serif',
  title: { fontSize: 16, subtitleFontSize: 12, subtitleColor: palette.grey, subtitlePadding: 6 },
  axis: {
    labelFontSize: 12,
    titleFontSize: 13,
    titleFontWeight: 'normal' as const,
    titlePadding: 10,
    gridColor: '#E8EAED',
    domainColor: palette.grey,
    tickColor: palette.grey,
  },
  legend: {
    orient: 'top-right' as const,
    labelFontSize: 12,
    symbolStrokeWidth: 2.5,
    symbolType: 'stroke' as const,
  },
  view: { stroke: null },
};
