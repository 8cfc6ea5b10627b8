/** Comma-separated values as RFC 4180 has them, with line feeds. */

/** One row with its line feed; cells with commas, quotes or line breaks are quoted. */
export function formatCsvRow(cells: readonly string[]): string {
  return `${cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\n`;
}

export interface CsvRow {
  /** Line the row begins on, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

export interface CsvText {
  readonly rows: readonly CsvRow[];
  /** Whether the last row has no line feed after it: it may have been cut short. */
  readonly cutShort: boolean;
}

/** The rows of CSV text; both line feeds and CRLF end a row. */
export function parseCsv(text: string): CsvText {
  const rows: CsvRow[] = [];
  let line = 1;
  let at = 0;
  let cutShort = false;
  while (at < text.length) {
    const begin = line;
    const cells: string[] = [];
    for (;;) {
      const { cell, end, lines } = readCell(text, at);
      cells.push(cell);
      line += lines;
      at = end;
      if (text[at] !== ',') break;
      at += 1;
    }
    rows.push({ line: begin, cells });
    if (text[at] === '\r') at += 1;
    cutShort = text[at] !== '\n';
    at += 1;
    line += 1;
  }
  return { rows, cutShort };
}

/** The cell that begins at `from`; `end` is where its comma, line break or the end of the text is. */
function readCell(text: string, from: number): { cell: string; end: number; lines: number } {
  let cell = '';
  let at = from;
  if (text[at] === '"') {
    at += 1;
    for (;;) {
      const quote = text.indexOf('"', at);
      const doubled = text[quote + 1] === '"';
      cell += text.slice(at, quote < 0 ? text.length : quote) + (quote >= 0 && doubled ? '"' : '');
      at = quote < 0 ? text.length : quote + (doubled ? 2 : 1);
      if (quote < 0 || !doubled) break;
    }
  }
  const lines = cell.split('\n').length - 1;
  const begin = at;
  while (at < text.length && !',\n\r'.includes(text[at] as string)) at += 1;
  return { cell: cell + text.slice(begin, at), end: at, lines };
}
