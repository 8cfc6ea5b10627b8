import { expect, test } from 'vitest';
import { type LineFigureData, lineFigure } from './line-figure.js';
import { renderSvg } from './render-figure.js';
import { renderPdf } from './render-pdf.js';

const sizes = [300, 600, 1200];
const figure: LineFigureData = {
  title: 'Time grows',
  subtitle: ['first line', 'second line'],
  x: { title: 'length T', scale: 'log', ticks: sizes },
  y: { title: 'time (ms)', scale: 'log' },
  series: [
    { label: 'recurrence', points: sizes.map((x) => ({ x, y: x / 100, low: x / 120, high: x / 80 })) },
    { label: 'a masked attention with a long name', points: sizes.map((x) => ({ x, y: (x * x) / 5e4 })) },
  ],
  guides: [
    {
      label: 'slope 1',
      points: [
        { x: 300, y: 1 },
        { x: 1200, y: 4 },
      ],
    },
  ],
};

/** All that is written in the figure. */
const texts = (svg: string): string[] => [...svg.matchAll(/>([^<>]+)</g)].map((match) => match[1] as string);

/** Number of marks of one kind, each drawn as a path. */
const marks = (svg: string, role: string): number =>
  svg.match(new RegExp(`aria-roledescription="${role}"`, 'g'))?.length ?? 0;

test('names axes, ticks, series and guides in full, and marks every point', async () => {
  const svg = await renderSvg(lineFigure(figure));
  expect(texts(svg)).toEqual(
    expect.arrayContaining(
      ['Time grows', 'first line', 'second line', 'length T', 'time (ms)', '300', '600', '1200'].concat(
        'recurrence',
        'a masked attention with a long name',
        'slope 1',
      ),
    ),
  );
  expect(marks(svg, 'point')).toBe(6);
  expect(svg).not.toContain('NaN');
});

test('a series without edges has no band', async () => {
  const bands = async (series: LineFigureData['series']) => {
    const svg = await renderSvg(lineFigure({ ...figure, series }));
    return svg.match(/class="mark-area/g)?.length ?? 0;
  };
  expect(await bands(figure.series)).toBe(1);
  expect(await bands(figure.series.slice(1))).toBe(0);
});

test.each([
  [{}, 6, 2],
  [{ plain: true }, 0, 2],
  [{ unjoined: true }, 6, 0],
])('a series with %j has its marks and its line, or not', async (style, points, lines) => {
  const series = figure.series.map((one) => ({ ...one, ...style }));
  const svg = await renderSvg(lineFigure({ ...figure, series, guides: [] }));
  expect(marks(svg, 'point')).toBe(points);
  expect(marks(svg, 'line mark')).toBe(lines);
});

test.each([
  [
    [1e-16, 1],
    ['1e-15', '1e-12', '1e-9', '1e-6', '0.001', '1'],
  ],
  [
    [0.03, 60],
    ['0.1', '1', '10'],
  ],
  [
    [2, 9],
    ['2', '5'],
  ],
])('a logarithmic axis from %j has whole powers of ten, or twos and fives', async (range, ticks) => {
  const points = range.map((y, x) => ({ x, y }));
  const svg = await renderSvg(
    lineFigure({ ...figure, x: { title: 'x' }, series: [{ label: 'one', points }], guides: [] }),
  );
  expect(texts(svg)).toEqual(expect.arrayContaining(ticks));
});

test('can be set in PDF, dashes included', async () => {
  expect((await renderPdf(await renderSvg(lineFigure(figure)))).length).toBeGreaterThan(5000);
});
