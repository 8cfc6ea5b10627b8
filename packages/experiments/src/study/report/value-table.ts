/** Measured numbers as tables: what an experiment's metadata holds, without knowing the experiment. */
import { isPlainObject } from '../../config/layers.js';
import type { PlainObject } from '../../config/yaml-file.js';
import { type Html, html } from './html.js';

const mostRows = 40;

/** Scalars of `metadata` in one table, each list of like rows in a table of its own. */
export function metadataTables(metadata: PlainObject): Html[] {
  const scalars = Object.entries(metadata).filter(([, value]) => isCell(value));
  const lists = Object.entries(metadata).filter(([, value]) => isTable(value)) as [string, PlainObject[]][];
  return [
    ...(scalars.length === 0 ? [] : [scalarTable(scalars)]),
    ...lists.map(([name, rows]) => rowTable(name, rows)),
  ];
}

function scalarTable(entries: readonly (readonly [string, unknown])[]): Html {
  return html`<div class="scroll"><table class="numbers">${entries.map(
    ([name, value]) => html`<tr><th>${name}</th>${cell(value)}</tr>`,
  )}</table></div>`;
}

/** A table with one row for each object; columns in the order in which they first appear. */
export function rowTable(name: string, rows: readonly PlainObject[]): Html {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const shown = rows.slice(0, mostRows);
  const rest =
    rows.length > mostRows
      ? html`<p class="note">${rows.length - mostRows} more rows are in the run folder.</p>`
      : '';
  return html`<div class="scroll"><table class="numbers"><caption class="note">${name}</caption>
<tr>${columns.map((column) => html`<th>${column}</th>`)}</tr>
${shown.map((row) => html`<tr>${columns.map((column) => cell(row[column]))}</tr>\n`)}</table></div>${rest}`;
}

function cell(value: unknown): Html {
  return typeof value === 'number'
    ? html`<td class="number">${formatValue(value)}</td>`
    : html`<td>${formatValue(value)}</td>`;
}

/** A number in five digits, whole ones in full, anything else as JSON without quotes. */
export function formatValue(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(formatValue).join(', ');
  if (typeof value !== 'number') return JSON.stringify(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value);
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-3 || magnitude >= 1e6)) return value.toExponential(2);
  return String(Number(value.toPrecision(5)));
}

/** Short enough for a cell: a scalar, or a short list of them. */
function isCell(value: unknown): boolean {
  if (Array.isArray(value)) return value.length <= 16 && value.every(isScalar);
  return isScalar(value);
}

function isScalar(value: unknown): boolean {
  return ['number', 'string', 'boolean'].includes(typeof value);
}

function isTable(value: unknown): boolean {
  const isRow = (row: unknown): boolean => isPlainObject(row) && Object.values(row).every(isCell);
  return Array.isArray(value) && value.length > 0 && value.every(isRow);
}
