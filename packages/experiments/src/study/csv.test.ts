import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatCsvRow, parseCsv } from './csv.js';

test('what is written is read again, whatever is in the cells', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ', 'é') });
  fc.assert(
    fc.property(fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 5 }), (rows) => {
      const text = rows.map(formatCsvRow).join('');
      expect(parseCsv(text).rows.map(({ cells }) => cells)).toEqual(rows);
      expect(parseCsv(text).cutShort).toBe(false);
    }),
  );
});

test('rows know the line they begin on', () => {
  const { rows } = parseCsv('a,b\n"one\ntwo",3\r\nc,d\n');
  expect(rows).toEqual([
    { line: 1, cells: ['a', 'b'] },
    { line: 2, cells: ['one\ntwo', '3'] },
    { line: 4, cells: ['c', 'd'] },
  ]);
});

test.each(['a,b\nc,', 'a,b\nc,"d', 'a,b\nc,d'])('%j was cut short', (text) => {
  const { rows, cutShort } = parseCsv(text);
  expect(cutShort).toBe(true);
  expect(rows).toHaveLength(2);
});

test('text after a quoted cell stays in the cell', () => {
  expect(parseCsv('"a"b,c\n').rows[0]?.cells).toEqual(['ab', 'c']);
});
