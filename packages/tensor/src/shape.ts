/** Shapes, axes and strides of tensors and their views. */
import { ArgumentError, contiguousStrides, formatShape, ShapeError } from '@statespace/ssd-core';

export type Shape = readonly number[];

/**
 * `axis` counted from the front; negative ones count from the back.
 * @throws {ShapeError} when a tensor of `rank` axes has no such axis.
 */
export function normalizeAxis(op: string, argument: string, axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && normal >= 0 && normal < rank) return normal;
  throw new ShapeError({
    op,
    argument,
    wanted: rank === 0 ? 'no axis, since the tensor is a scalar' : `an axis in [${-rank}, ${rank})`,
    got: String(axis),
  });
}

/** Distinct axes in rising order; all of them when `axes` is absent. */
export function normalizeAxes(op: string, axes: number | Shape | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  if (typeof axes === 'number') return [normalizeAxis(op, 'axes', axes, rank)];
  const normal = axes.map((axis) => normalizeAxis(op, 'axes', axis, rank)).sort((a, b) => a - b);
  if (new Set(normal).size !== normal.length) {
    throw new ShapeError({ op, argument: 'axes', wanted: 'distinct axes', got: formatShape(axes) });
  }
  return normal;
}

/** Sizes that are whole and not negative. @throws {ShapeError} */
export function checkShape(op: string, shape: Shape): void {
  for (const size of shape) {
    if (Number.isSafeInteger(size) && size >= 0) continue;
    throw new ShapeError({ op, argument: 'shape', wanted: 'whole sizes >= 0', got: formatShape(shape) });
  }
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

/** NumPy broadcasting of two shapes, aligned at the last axis. @throws {ShapeError} when they do not fit. */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  if (sameShape(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let back = 1; back <= rank; back++) {
    const sizeA = a[a.length - back] ?? 1;
    const sizeB = b[b.length - back] ?? 1;
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1) {
      throw new ShapeError({
        op,
        argument: 'b',
        wanted: `a shape that broadcasts with ${formatShape(a)}`,
        got: formatShape(b),
      });
    }
    out[rank - back] = sizeA === 1 ? sizeB : sizeA;
  }
  return out;
}

/** Strides that let a view of `shape` appear as `target`: 0 along repeated axes. @throws {ShapeError} */
export function broadcastStrides(op: string, shape: Shape, strides: Shape, target: Shape): number[] {
  const out = new Array<number>(target.length).fill(0);
  const lead = target.length - shape.length;
  const fits = lead >= 0 && shape.every((size, axis) => size === 1 || size === target[axis + lead]);
  if (!fits) {
    throw new ShapeError({
      op,
      argument: 'shape',
      wanted: `a shape that ${formatShape(shape)} broadcasts to`,
      got: formatShape(target),
    });
  }
  for (let axis = 0; axis < shape.length; axis++) {
    out[axis + lead] = shape[axis] === target[axis + lead] ? (strides[axis] as number) : 0;
  }
  return out;
}

/** `shape` with a single -1 replaced by what is left of `count`. @throws {ShapeError} */
export function inferShape(op: string, shape: Shape, count: number): Shape {
  let known = 1;
  let free = -1;
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis] as number;
    if (size === -1 && free < 0) free = axis;
    else known *= size;
  }
  if (free < 0 && known === count) {
    checkShape(op, shape);
    return shape;
  }
  const rest = free >= 0 && known > 0 ? count / known : Number.NaN;
  if (!Number.isInteger(rest)) {
    throw new ShapeError({
      op,
      argument: 'shape',
      wanted: `${count} elements in all${free < 0 ? '' : ', one -1 allowed'}`,
      got: formatShape(shape),
    });
  }
  const out = shape.map((size, axis) => (axis === free ? rest : size));
  checkShape(op, out);
  return out;
}

/**
 * Strides that show the elements of (`shape`, `strides`) as `target` without moving them, or undefined when no
 * strides can: every new axis must lie within a run of old axes that is evenly spaced.
 */
export function viewStrides(shape: Shape, strides: Shape, target: Shape): number[] | undefined {
  if (shape.includes(0)) return contiguousStrides(target);
  const out = new Array<number>(target.length);
  // Axes of size 1 carry no position, so they may not break a run.
  const sizes: number[] = [];
  const steps: number[] = [];
  for (let axis = 0; axis < shape.length; axis++) {
    if (shape[axis] === 1) continue;
    sizes.push(shape[axis] as number);
    steps.push(strides[axis] as number);
  }
  let newAxis = target.length - 1;
  let run = 1;
  for (let axis = sizes.length - 1; axis >= 0; ) {
    const base = steps[axis] as number;
    run = sizes[axis] as number;
    axis -= 1;
    while (axis >= 0 && steps[axis] === base * run) {
      run *= sizes[axis] as number;
      axis -= 1;
    }
    let step = base;
    let left = run;
    while (newAxis >= 0 && (left > 1 || target[newAxis] === 1)) {
      const size = target[newAxis] as number;
      if (left % size !== 0) return undefined;
      out[newAxis] = step;
      step *= size;
      left /= size;
      newAxis -= 1;
    }
    if (left !== 1) return undefined;
  }
  for (; newAxis >= 0; newAxis--) out[newAxis] = 1;
  return out;
}

/** Sizes left over when `axes` are summed away. */
export function reducedShape(shape: Shape, axes: Shape, keepDims: boolean): number[] {
  const out: number[] = [];
  let next = 0;
  for (let axis = 0; axis < shape.length; axis++) {
    if (axes[next] === axis) {
      next += 1;
      if (keepDims) out.push(1);
    } else {
      out.push(shape[axis] as number);
    }
  }
  return out;
}

/**
 * A range along an axis of `size`, negative bounds counted from the back.
 * @throws {ArgumentError} when it is not within the axis.
 */
export function normalizeRange(
  op: string,
  size: number,
  start: number,
  end: number,
): readonly [start: number, end: number] {
  const from = start < 0 ? start + size : start;
  const to = end < 0 ? end + size : end;
  if (Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= size) {
    return [from, to];
  }
  throw new ArgumentError({
    op,
    argument: 'range',
    wanted: `0 <= start <= end <= ${size}`,
    got: `start ${start}, end ${end}`,
  });
}
