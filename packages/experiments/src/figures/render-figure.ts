/** A Vega-Lite figure as files: its specification with the data, SVG, PNG and PDF, none of which needs system fonts. */
import { dirname, extname, join } from 'node:path';
import { ArgumentError } from '@statespace/ssd-core';
import { makeFolder, writeFileAtomic } from '@statespace/tensor';
import type { TopLevelSpec } from 'vega-lite';
import { fontFile } from './fonts.js';
import { renderPdf } from './render-pdf.js';

/** Where the four files of a figure are. */
export interface FigureFiles {
  readonly spec: string;
  readonly svg: string;
  readonly png: string;
  readonly pdf: string;
}

/** The figure as SVG text. */
export async function renderSvg(spec: TopLevelSpec): Promise<string> {
  // Loaded when the first figure is drawn: a quarter of the start-up time of every command otherwise.
  const [{ parse, View }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** SVG text as PNG bytes, `scale` pixels to the SVG unit; text is set in the bundled DejaVu Sans. */
export async function renderPng(svg: string, scale = 2): Promise<Buffer> {
  const { Resvg } = await import('@resvg/resvg-js');
  const image = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: scale },
    font: {
      fontFiles: [fontFile('regular'), fontFile('bold')],
      loadSystemFonts: false,
      defaultFontFamily: 'DejaVu Sans',
    },
  });
  return image.render().asPng();
}

/** Writes `<name>.vl.json`, `<name>.svg`, `<name>.png` and `<name>.pdf` into `directory`. @throws {IoError} */
export async function writeFigure(spec: TopLevelSpec, directory: string, name: string): Promise<FigureFiles> {
  const files = {
    spec: join(directory, `${name}.vl.json`),
    svg: join(directory, `${name}.svg`),
    png: join(directory, `${name}.png`),
    pdf: join(directory, `${name}.pdf`),
  };
  const svg = await renderSvg(spec);
  await writeFileAtomic(files.spec, `${JSON.stringify(spec, null, 2)}\n`);
  await writeFileAtomic(files.svg, svg);
  await writeFileAtomic(files.png, await renderPng(svg));
  await writeFileAtomic(files.pdf, await renderPdf(svg));
  return files;
}

/**
 * Writes the figure to `path` in the format of its ending, `.svg`, `.png` or `.pdf`; makes the folder where needed.
 * @throws {ArgumentError} for another ending. @throws {IoError}
 */
export async function writeFigureFile(spec: TopLevelSpec, path: string): Promise<void> {
  const render = renderers.get(extname(path));
  if (render === undefined) {
    throw new ArgumentError({
      op: 'writeFigureFile',
      argument: 'path',
      wanted: 'a path that ends in .svg, .png or .pdf',
      got: `'${path}'`,
    });
  }
  const contents = await render(await renderSvg(spec));
  makeFolder(dirname(path));
  await writeFileAtomic(path, contents);
}

const renderers = new Map<string, (svg: string) => string | Promise<Buffer>>([
  ['.svg', (svg) => svg],
  ['.png', (svg) => renderPng(svg)],
  ['.pdf', renderPdf],
]);
