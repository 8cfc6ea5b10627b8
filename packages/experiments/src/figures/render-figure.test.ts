import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArgumentError, FormatError } from '@statespace/ssd-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lossFigure } from './loss-figure.js';
import { renderSvg, writeFigure, writeFigureFile } from './render-figure.js';
import { renderPdf } from './render-pdf.js';

const spec = lossFigure({
  title: 'a title',
  train: [0, 1, 2].map((step) => ({ step, loss: 3 - step })),
  heldOut: [],
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'statespace-figures-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('writeFigure leaves the specification and three images', async () => {
  const files = await writeFigure(spec, folder, 'loss');
  expect(readdirSync(folder).sort()).toEqual(['loss.pdf', 'loss.png', 'loss.svg', 'loss.vl.json']);
  expect(JSON.parse(readFileSync(files.spec, 'utf8'))).toMatchObject({ title: { text: 'a title' } });
  expect(readFileSync(files.pdf).subarray(0, 5).toString()).toBe('%PDF-');
});

describe('writeFigureFile', () => {
  test.each([
    ['a.svg', '<svg'],
    ['deep/b.png', '\u0089PNG'],
    ['c.pdf', '%PDF'],
  ])('%s is what its name says, in a folder that is made', async (name, start) => {
    const path = join(folder, name);
    await writeFigureFile(spec, path);
    expect(readFileSync(path).subarray(0, start.length).toString('latin1')).toBe(start);
  });

  test('refuses other endings and writes nothing', async () => {
    await expect(writeFigureFile(spec, join(folder, 'x/figure.jpg'))).rejects.toThrow(ArgumentError);
    expect(existsSync(join(folder, 'x'))).toBe(false);
  });
});

describe('renderPdf', () => {
  test('gives the same bytes every time, on a page of the size of the SVG', async () => {
    const svg = await renderSvg(spec);
    const pdf = await renderPdf(svg);
    const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(svg) as RegExpExecArray;
    expect(pdf.toString('latin1')).toContain(`[0 0 ${0.75 * Number(width)} ${0.75 * Number(height)}]`);
    expect(pdf.equals(await renderPdf(svg))).toBe(true);
  });

  test('embeds the typeface, regular and bold', async () => {
    const pdf = (await renderPdf(await renderSvg(spec))).toString('latin1');
    expect(pdf).toMatch(/\/BaseFont \/[A-Z]{6}\+DejaVuSans\b/);
    expect(pdf).toMatch(/\/BaseFont \/[A-Z]{6}\+DejaVuSans-Bold\b/);
  });

  test.each(['', '<svg></svg>', '<svg width="0" height="3"></svg>'])('refuses %j', async (svg) => {
    await expect(renderPdf(svg)).rejects.toThrow(FormatError);
  });

  test('refuses what it cannot draw, instead of leaving it out', async () => {
    const svg = '<svg width="10" height="10"><image href="nowhere.png" width="1" height="1"/></svg>';
    await expect(renderPdf(svg)).rejects.toThrow(FormatError);
  });
});
