import { expect, test } from 'vitest';
import { type HeatMapPanel, heatMapFigure } from './heat-map-figure.js';
import { renderSvg } from './render-figure.js';

const panel: HeatMapPanel = {
  title: 'kernel M',
  matrix: { rows: 3, cols: 3, data: [2, 0, 0, 0.5, 2, 0, 0.25, 0.5, 2] },
  colours: 'positive',
};

const draw = (...panels: HeatMapPanel[]) => renderSvg(heatMapFigure({ title: 'a title', panels }));

/** Fill colours of the cells, in order of drawing. */
function fills(svg: string): string[] {
  return [...svg.matchAll(/aria-label="input step s: [^"]*"[^>]*fill="([^"]+)"/g)].map(
    (match) => match[1] as string,
  );
}

test('draws every entry but the zeros, equal ones alike, with titles, axes and a legend', async () => {
  const svg = await draw(panel);
  for (const text of ['a title', 'kernel M', 'input step s', 'output step t']) expect(svg).toContain(text);
  const colours = fills(svg);
  expect(colours).toHaveLength(6);
  expect(new Set(colours).size).toBe(3);
  expect(colours[0]).toBe(colours[2]);
});

test('signs have colours of their own, of the same strength', async () => {
  const [plus, minus] = fills(
    await draw({ ...panel, matrix: { rows: 1, cols: 2, data: [1, -1] }, colours: 'signed' }),
  );
  expect(plus).toBe('rgb(0, 114, 178)');
  expect(minus).toBe('rgb(213, 94, 0)');
});

test('a logarithm shows what a linear scale hides', async () => {
  const matrix = { rows: 1, cols: 3, data: [1, 1e-4, 1e-8] };
  expect(new Set(fills(await draw({ ...panel, matrix, colours: 'log' }))).size).toBe(3);
  const linear = fills(await draw({ ...panel, matrix }));
  expect(linear[1]).toBe(linear[2]);
  expect(await draw({ ...panel, matrix, colours: 'log' })).toContain('log₁₀|M|');
});

test('marks columns above the matrix and frames blocks', async () => {
  const svg = await draw({
    ...panel,
    markedColumns: [0, 2],
    blocks: [
      { begin: 0, end: 1 },
      { begin: 1, end: 3 },
    ],
  });
  expect(svg.match(/aria-roledescription="point"/g)).toHaveLength(2);
  // The frame of the whole, and one for each block.
  expect(svg.match(/fill-opacity="0" stroke=/g)).toHaveLength(3);
});

test('zeros alone, and entries that are no numbers, still make a figure', async () => {
  const svg = await draw({ ...panel, matrix: { rows: 2, cols: 2, data: [0, Number.NaN, Infinity, 0] } });
  expect(fills(svg)).toEqual([]);
  expect(svg).not.toContain('NaN');
});
