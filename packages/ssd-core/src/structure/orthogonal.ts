/** Orthonormal vectors by Gram-Schmidt, repeated where a vector shrinks (Daniel, Gragg, Kaufman & Stewart 1976). */

/** Inner product over the length of `x`. */
export function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i] as number) * (y[i] as number);
  return sum;
}

/** Euclidean norm. */
export function norm(x: Float64Array): number {
  return Math.sqrt(dot(x, x));
}

/** y += weight x, over the length of `y`. */
export function addScaled(y: Float64Array, weight: number, x: Float64Array): void {
  for (let i = 0; i < y.length; i++) y[i] = (y[i] as number) + weight * (x[i] as number);
}

/** sum_j weights[j] vectors[j], of `length` entries. */
export function combine(
  vectors: readonly Float64Array[],
  weights: Float64Array,
  length: number,
): Float64Array {
  const sum = new Float64Array(length);
  vectors.forEach((vector, j) => {
    addScaled(sum, weights[j] as number, vector);
  });
  return sum;
}

/** A vector as a part in the span of an orthonormal basis, and a part outside. */
export interface Split {
  /** Coefficients of the part inside. */
  readonly inside: Float64Array;
  /** The part outside: its length, and its direction; both 0 when it is rounding alone. */
  readonly length: number;
  readonly direction: Float64Array;
}

/** Splits `x` by the span of the orthonormal `basis`. */
export function splitOff(x: Float64Array, basis: readonly Float64Array[]): Split {
  const rest = x.slice();
  const inside = new Float64Array(basis.length);
  let before = norm(rest);
  // What a pass leaves is orthogonal up to rounding of what it took: once it takes less than it leaves, that is little.
  for (let pass = 0; pass < 4; pass++) {
    basis.forEach((direction, k) => {
      const weight = dot(rest, direction);
      addScaled(rest, -weight, direction);
      inside[k] = (inside[k] as number) + weight;
    });
    const length = norm(rest);
    if (length > before / 2) return { inside, length, direction: rest.map((entry) => entry / length) };
    before = length;
  }
  return { inside, length: 0, direction: new Float64Array(x.length) };
}

/** Orthonormal vectors that complete the orthonormal `basis` to one of R^dim. */
export function orthogonalComplement(basis: readonly Float64Array[], dim: number): Float64Array[] {
  const whole = [...basis];
  while (whole.length < dim) {
    // The unit vector that is farthest from the span so far: its remainder is well above rounding.
    const distances = Array.from({ length: dim }, (_, i) =>
      whole.reduce((rest, vector) => rest - (vector[i] as number) ** 2, 1),
    );
    const unit = new Float64Array(dim);
    unit[distances.indexOf(Math.max(...distances))] = 1;
    whole.push(splitOff(unit, whole).direction);
  }
  return whole.slice(basis.length);
}

/** C = U R by columns: orthonormal `u`, and `r[j]` holding the j + 1 upper entries of column j, its last one positive. */
export function triangularise(columns: readonly Float64Array[]): { u: Float64Array[]; r: Float64Array[] } {
  const u: Float64Array[] = [];
  const r = columns.map((column) => {
    const { inside, length, direction } = splitOff(column, u);
    u.push(direction);
    return Float64Array.of(...inside, length);
  });
  return { u, r };
}

/** x with R x = y for the upper triangular R of `triangularise`, by its first y.length rows and columns. */
export function solveTriangular(r: readonly Float64Array[], y: Float64Array): Float64Array {
  const x = y.slice();
  for (let j = x.length - 1; j >= 0; j--) {
    const column = r[j] as Float64Array;
    const value = (x[j] as number) / (column[j] as number);
    x[j] = value;
    for (let i = 0; i < j; i++) x[i] = (x[i] as number) - value * (column[i] as number);
  }
  return x;
}
