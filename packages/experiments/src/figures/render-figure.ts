/** A Vega-Lite figure as files: its specification with the data, an SVG, and a PNG that needs no system fonts. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { writeFileAtomic } from '@statespace/tensor';
import type { TopLevelSpec } from 'vega-lite';

/** Where the three files of a figure are. */
export interface FigureFiles {
  readonly spec: string;
  readonly svg: string;
  readonly png: string;
}

const require = createRequire(import.meta.url);

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
  const fonts = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((file) =>
    require.resolve(`dejavu-fonts-ttf/ttf/${file}`),
  );
  const image = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: scale },
    font: { fontFiles: fonts, loadSystemFonts: false, defaultFontFamily: 'DejaVu Sans' },
  });
  return image.render().asPng();
}

/** Writes `<name>.vl.json`, `<name>.svg` and `<name>.png` into `directory`. @throws {IoError} */
export async function writeFigure(spec: TopLevelSpec, directory: string, name: string): Promise<FigureFiles> {
  const files = {
    spec: join(directory, `${name}.vl.json`),
    svg: join(directory, `${name}.svg`),
    png: join(directory, `${name}.png`),
  };
  const svg = await renderSvg(spec);
  await writeFileAtomic(files.spec, `${JSON.stringify(spec, null, 2)}\n`);
  await writeFileAtomic(files.svg, svg);
  await writeFileAtomic(files.png, await renderPng(svg));
  return files;
}
