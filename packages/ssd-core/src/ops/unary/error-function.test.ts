import { describe, expect, test } from 'vitest';
import { erf, erfc } from './error-function.js';

/** erf and erfc from mpmath 1.3 with 40 digits, rounded to float64. */
const table: readonly [x: number, erf: number, erfc: number][] = [
  [1e-8, 1.1283791670955126e-8, 0.9999999887162083],
  [0.03125, 0.035250373867322826, 0.9647496261326772],
  [0.1, 0.1124629160182849, 0.887537083981715],
  [0.5, 0.5204998778130465, 0.4795001221869535],
  [0.84375, 0.7672256612323416, 0.23277433876765838],
  [1.0, 0.8427007929497149, 0.15729920705028513],
  [1.25, 0.9229001282564583, 0.07709987174354177],
  [1.75, 0.9866716712191824, 0.013328328780817557],
  [2.0, 0.9953222650189527, 0.004677734981047266],
  [2.375, 0.9992170617821089, 0.0007829382178911192],
  [1.4921875, 0.9651650488697547, 0.03483495113024526],
  [2.5, 0.999593047982555, 0.0004069520174449589],
  [2.515625, 0.9996257854992575, 0.00037421450074246815],
  [3.0, 0.9999779095030014, 2.209049699858544e-5],
  [3.5, 0.9999992569016276, 7.430983723414128e-7],
  [4.0, 0.9999999845827421, 1.541725790028002e-8],
  [5.0, 0.9999999999984626, 1.537459794428035e-12],
  [6.0, 1.0, 2.1519736712498913e-17],
  [9.0, 1.0, 4.13703174651381e-37],
  [13.5, 1.0, 2.949433113257988e-81],
  [20.0, 1.0, 5.395865611607901e-176],
  [26.0, 1.0, 5.663192408856143e-296],
];

describe('error function', () => {
  test.each(table)('erf(%f), erfc', (x, wantedErf, wantedErfc) => {
    expect(Math.abs(erf(x) - wantedErf)).toBeLessThan(1e-15);
    expect(erf(-x)).toBe(-erf(x));
    expect(Math.abs(erfc(x) / wantedErfc - 1)).toBeLessThan(1e-13);
    expect(Math.abs(erfc(-x) - (2 - wantedErfc))).toBeLessThan(1e-15);
  });

  test('has its limits and symmetries', () => {
    expect(erf(0)).toBe(0);
    expect(erfc(0)).toBe(1);
    expect(erf(Number.POSITIVE_INFINITY)).toBe(1);
    expect(erf(Number.NEGATIVE_INFINITY)).toBe(-1);
    expect(erfc(Number.POSITIVE_INFINITY)).toBe(0);
    expect(erfc(Number.NEGATIVE_INFINITY)).toBe(2);
    expect(erf(Number.NaN)).toBeNaN();
    expect(erfc(Number.NaN)).toBeNaN();
  });

  test('is continuous where the expansions meet', () => {
    const below = 1.5 - 2 ** -51;
    expect(Math.abs(erf(1.5) - erf(below))).toBeLessThan(1e-15);
    expect(Math.abs(erfc(1.5) / erfc(below) - 1)).toBeLessThan(1e-13);
  });
});
