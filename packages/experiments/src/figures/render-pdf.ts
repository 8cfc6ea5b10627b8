/** SVG as PDF: vector graphics and text in the embedded DejaVu Sans. */
import { buffer } from 'node:stream/consumers';
import { FormatError } from '@statespace/ssd-core';
import { fontFile } from './fonts.js';

/** Points to the SVG unit, a CSS pixel: 72 / 96. */
const pointsPerPixel = 0.75;

/**
 * SVG text, with width and height in pixels, as the bytes of a PDF of one page that it fills.
 * The same SVG gives the same bytes.
 * @throws {FormatError} when the SVG has no size, or something in it cannot be drawn.
 */
export async function renderPdf(svg: string): Promise<Buffer> {
  const [{ default: PDFDocument }, { default: svgToPdf }] = await Promise.all([
    import('pdfkit'),
    import('svg-to-pdfkit'),
  ]);
  const [width, height] = svgSize(svg).map((pixels) => pixels * pointsPerPixel) as [number, number];
  const document = new PDFDocument({
    size: [width, height],
    margin: 0,
    // The file's identifier and date come from here; a clock's reading would make every copy another one.
    info: { Producer: 'statespace', Creator: 'statespace', CreationDate: new Date(0) },
  });
  document.registerFont('regular', fontFile('regular')).registerFont('bold', fontFile('bold'));
  const bytes = buffer(document);
  svgToPdf(document, svg, 0, 0, {
    width,
    height,
    fontCallback: (_family, bold) => (bold ? 'bold' : 'regular'),
    warningCallback: (warning) => {
      throw new FormatError({ op: 'renderPdf', argument: 'svg', got: warning });
    },
  });
  document.end();
  return bytes;
}

function svgSize(svg: string): [number, number] {
  const root = /<svg[^>]*>/.exec(svg)?.[0] ?? '';
  const [width, height] = ['width', 'height'].map((name) =>
    Number(new RegExp(`\\s${name}="([\\d.]+)"`).exec(root)?.[1]),
  ) as [number, number];
  if (!(width > 0 && height > 0)) {
    throw new FormatError({
      op: 'renderPdf',
      argument: 'svg',
      wanted: 'an <svg> element with width and height',
      got: root === '' ? 'none' : root,
    });
  }
  return [width, height];
}
