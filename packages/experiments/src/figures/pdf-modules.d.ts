/** The parts of pdfkit and svg-to-pdfkit that are used here. */
declare module 'pdfkit' {
  import type { Readable } from 'node:stream';

  interface PdfOptions {
    /** Width and height, points. */
    readonly size: readonly [number, number];
    readonly margin: number;
    readonly info?: Readonly<Record<string, string | Date>>;
  }

  class PDFDocument extends Readable {
    constructor(options: PdfOptions);
    registerFont(name: string, path: string): this;
    end(): void;
  }

  export = PDFDocument;
}

declare module 'svg-to-pdfkit' {
  import type PDFDocument from 'pdfkit';

  interface SvgOptions {
    readonly width: number;
    readonly height: number;
    /** Name of the registered font for a text of the SVG. */
    readonly fontCallback: (family: string, bold: boolean, italic: boolean) => string;
    readonly warningCallback: (warning: string) => void;
  }

  function svgToPdf(document: PDFDocument, svg: string, x: number, y: number, options: SvgOptions): void;

  export = svgToPdf;
}
