/**
 * A state space model of least width for one diagonal block of a causal kernel, found from the kernel alone.
 *
 * M[t,s] = q_t R_t ... R_{s+1} beta_s with upper triangular, regular R_t of w_t states, w_t the new columns up to t.
 * - The columns of M[t:, :t+1] have an orthonormal basis F_t, made afresh at every t from the columns themselves: it
 *   holds fast decays beside slow ones however small their older columns have become.
 * - Dropping a row takes F_{t-1} to F_t; the map between their coordinates is short of directions only where rows run
 *   out or a transition is singular. Such a direction is dead, no later output sees it, and it is carried on unchanged.
 * - A new column adds a coordinate, its part outside the span of the others.
 * - An orthogonal change of coordinates at every step makes the map triangular (the QR iteration): coordinates sort
 *   themselves by the pace of their decay, slow ones first, and never mix again.
 */
import type { ColumnSpan } from './column-span.js';
import type { ColumnStep } from './column-sweep.js';
import type { Matrix } from './matrix.js';
import { combine, dot, orthogonalComplement, splitOff, triangularise } from './orthogonal.js';
import { singularVectors } from './singular-values.js';

/** One step in triangular coordinates, w of them. */
export interface TriangularStep {
  /** Output weights (w). */
  readonly q: Float64Array;
  /** Input weights (w). */
  readonly beta: Float64Array;
  /** Columns of R_t, upper triangular; a coordinate that is new at t has no past. */
  readonly transition: readonly Float64Array[];
}

/** Coordinates after a step: live ones, with their responses from here on, then dead ones. */
interface Coordinates {
  /** F_t, by columns. */
  readonly responses: readonly Float64Array[];
  /** Orthogonal: column j is the j-th triangular coordinate in these. */
  readonly frame: readonly Float64Array[];
}

/** The realization of a block from the walk through its columns. */
export function triangularRealization(columns: Iterable<ColumnStep>): TriangularStep[] {
  const steps: TriangularStep[] = [];
  let coordinates: Coordinates = { responses: [], frame: [] };
  for (const column of columns) {
    const { step, next } = advance(coordinates, column);
    steps.push(step);
    coordinates = next;
  }
  return steps;
}

function advance(
  { responses: old, frame }: Coordinates,
  { column, before, span, rankBefore, isNew }: ColumnStep,
): { step: TriangularStep; next: Coordinates } {
  // A direction that fell below the tolerance stays out, even where the tolerance of a later block is smaller.
  const kept = Math.min(rankBefore, old.length);
  // What a new column adds is a direction of its own; another column may turn the directions that there are.
  const directions = leadingDirections(isNew ? before : span, kept, column.length);
  const map = shorteningMap(directions, old);
  const live = map.into.map((weights) => combine(directions, weights, column.length));
  const beta = Array.from(live, (response) => dot(response, column));
  if (isNew) {
    const { direction, length } = splitOff(column, live);
    live.push(direction);
    beta.push(length);
  }
  const images = frame.map((x) => {
    const alive = x.subarray(0, old.length);
    const survived = map.from.map((direction, i) => (map.gains[i] as number) * dot(direction, alive));
    const died = map.lost.map((direction) => dot(direction, alive));
    return Float64Array.of(...survived, ...(isNew ? [0] : []), ...died, ...x.subarray(old.length));
  });
  if (isNew) {
    const fresh = new Float64Array(frame.length + 1);
    fresh[live.length - 1] = 1;
    images.push(fresh);
  }
  const { u, r } = triangularise(images);
  const outputs = Float64Array.from(live, (response) => response[0] as number);
  const inputs = Float64Array.from(beta);
  const step = {
    q: Float64Array.from(u, (direction) => dot(outputs, direction)),
    beta: Float64Array.from(u, (direction) => dot(inputs, direction)),
    transition: r,
  };
  return { step, next: { responses: live, frame: u } };
}

/** The first `count` left singular vectors of a matrix with the column space `span`. */
function leadingDirections(
  { basis, coefficients }: ColumnSpan,
  count: number,
  length: number,
): Float64Array[] {
  const { u } = singularVectors(coefficients);
  return Array.from({ length: count }, (_, j) => {
    const weights = Float64Array.from(basis, (_unused, k) => u.data[k * u.cols + j] as number);
    return combine(basis, weights, length);
  });
}

/** next^T (old without its first row) = into diag(gains) from^T; `lost` are the old directions that go nowhere. */
function shorteningMap(next: readonly Float64Array[], old: readonly Float64Array[]) {
  const overlap = {
    rows: next.length,
    cols: old.length,
    data: Float64Array.from(next.flatMap((response) => old.map((other) => dot(response, other.subarray(1))))),
  };
  const { u, values, v } = singularVectors(overlap);
  const gains = values.filter((gain) => gain > 0);
  const vectors = (m: Matrix): Float64Array[] =>
    Array.from(gains, (_, i) =>
      Float64Array.from({ length: m.rows }, (_unused, j) => m.data[j * m.cols + i] as number),
    );
  const from = vectors(v);
  return { into: vectors(u), gains, from, lost: orthogonalComplement(from, old.length) };
}
