/**
 * Whether every entry of a strided view has memory of its own, so that it can be written in any order.
 *
 * Two entries share memory where sum over axes of stride[i] d[i] = 0 for differences |d[i]| < shape[i] that are not all 0.
 */

/** An axis with at least two entries. */
interface Axis {
  readonly size: number;
  /** Distance of neighbours, without its sign: differences have both signs. */
  readonly stride: number;
  /** Distance of the two outermost entries over this axis and all with smaller strides. */
  reach: number;
}

/** True where no two entries of a view of checked `shape` and `strides` share memory; an empty view has none. */
export function entriesAreSeparate(shape: readonly number[], strides: readonly number[]): boolean {
  if (shape.includes(0)) return true;
  const axes: Axis[] = [];
  for (const [i, size] of shape.entries()) {
    const stride = Math.abs(strides[i] as number);
    if (size > 1 && stride === 0) return false;
    if (size > 1) axes.push({ size, stride, reach: 0 });
  }
  axes.sort((a, b) => b.stride - a.stride);
  let reach = 0;
  let count = 1;
  let nested = true;
  for (const axis of [...axes].reverse()) {
    nested &&= axis.stride > reach;
    reach += axis.stride * (axis.size - 1);
    count *= axis.size;
    axis.reach = reach;
  }
  // Slices and transposes are nested: each stride steps over all that the smaller ones reach.
  if (nested) return true;
  if (count > reach + 1) return false;
  return !closes(axes, 0, 0, false);
}

/**
 * Whether differences along `axes` from the one of index `from` on add up to -`sum`; `moved` tells that an earlier one is
 * not 0, otherwise one of these must be. What smaller strides can reach bounds the choices along each axis.
 */
function closes(axes: readonly Axis[], from: number, sum: number, moved: boolean): boolean {
  const axis = axes[from];
  if (axis === undefined) return moved && sum === 0;
  const { size, stride } = axis;
  const rest = axes[from + 1]?.reach ?? 0;
  // A difference and its negative are the same pair of entries: the first that is not 0 may be taken positive.
  const lowest = moved ? Math.max(1 - size, Math.ceil((-sum - rest) / stride)) : 0;
  const highest = Math.min(size - 1, Math.floor((rest - sum) / stride));
  for (let d = lowest; d <= highest; d++) {
    if (closes(axes, from + 1, sum + d * stride, moved || d !== 0)) return true;
  }
  return false;
}
