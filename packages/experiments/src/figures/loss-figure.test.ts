import { expect, test } from 'vitest';
import { lossFigure } from './loss-figure.js';
import { renderPng, renderSvg } from './render-figure.js';

const points = (shift: number, every: number) =>
  Array.from({ length: 400 / every + 1 }, (_, i) => ({
    step: i * every,
    loss: 2 + shift + 2 * Math.exp((-i * every) / 80),
  }));

const spec = lossFigure({
  title: 'a title of its own',
  subtitle: 'and what it was',
  train: points(0, 10),
  heldOut: points(0.1, 100),
  references: [
    { label: 'bigram 2.43', value: 2.43 },
    { label: 'trigram 2.05', value: 2.05 },
  ],
});

test('the SVG names axes with units, both curves and every reference line', async () => {
  const svg = await renderSvg(spec);
  for (const text of [
    'a title of its own',
    'and what it was',
    'optimiser step',
    'loss (nats per token)',
    'training',
    'held out',
    'bigram 2.43',
    'trigram 2.05',
  ]) {
    expect(svg).toContain(text);
  }
  expect(svg).not.toContain('NaN');
});

test('the specification carries its data', () => {
  const text = JSON.stringify(spec);
  expect(text).toContain('"step":400');
  expect(text).not.toContain('"url"');
});

test('the PNG has its size, and ink, without any system font', async () => {
  const png = await renderPng(await renderSvg(spec), 1);
  expect(png.subarray(1, 4).toString()).toBe('PNG');
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  expect(width).toBeGreaterThan(640);
  expect(height).toBeGreaterThan(380);
  // An empty canvas of this size packs into about 3 kB.
  expect(png.length).toBeGreaterThan(15_000);
});

test('a run without a single point still has a figure', async () => {
  expect(await renderSvg(lossFigure({ title: 'empty', train: [], heldOut: [] }))).toContain('empty');
});
