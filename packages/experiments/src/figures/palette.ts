/** Colours that stay apart for colour-blind readers and in print: Okabe & Ito 2008. */
export const palette = {
  blue: '#0072B2',
  vermillion: '#D55E00',
  green: '#009E73',
  purple: '#CC79A7',
  orange: '#E69F00',
  sky: '#56B4E9',
  black: '#000000',
  grey: '#5F6368',
} as const;

// Told apart by colour, by mark and by dashes, so that they stay apart in grey too.

/** Colours of the series of one figure, in order. */
export const seriesColours = [
  palette.blue,
  palette.vermillion,
  palette.green,
  palette.purple,
  palette.orange,
  palette.sky,
  palette.black,
] as const;

/** Vega's marks of the series of one figure, in order. */
export const seriesShapes = [
  'circle',
  'square',
  'triangle-up',
  'diamond',
  'cross',
  'triangle-down',
  'triangle-right',
] as const;
