/** The matrix product on the addon; binding/gemm.cc reads what is written here. */
import { checkGemm, type DenseKernels, type TensorLike } from '@statespace/ssd-core';
import { NativeCall, type NativeRuntime } from '../native-call.js';

/** A batch of matrices as the kernel takes it: unit stride along the last stored axis. */
interface Matrices {
  readonly tensor: TensorLike;
  readonly batchStride: number;
  readonly rowStride: number;
  /** The stored axes are the other way round than in `tensor`. */
  readonly swapped: boolean;
}

export function gemmKernels(runtime: NativeRuntime): Pick<DenseKernels, 'gemm'> {
  const { addon } = runtime;
  return {
    gemm(args) {
      const op = 'gemm';
      const { batch, m, n, k, sharedB } = checkGemm(op, args);
      const call = new NativeCall(runtime, op);
      const a = describe(call, 'a', args.a);
      const b = describe(call, 'b', args.b);
      const transposeA = (args.transposeA ?? false) !== a.swapped;
      const transposeB = (args.transposeB ?? false) !== b.swapped;
      // One b for all: the rows of every member make one tall matrix, and one large product beats many small ones.
      const tall = sharedB && !transposeA && a.batchStride === m * a.rowStride;
      const members = tall ? 1 : batch;
      call
        .number(members)
        .number(tall ? batch * m : m)
        .number(n)
        .number(k)
        .flag(transposeA)
        .flag(transposeB)
        .flag(args.accumulate)
        .flag(args.activation === 'silu')
        .matrices('a', a.tensor, a.batchStride, a.rowStride)
        .matrices('b', b.tensor, sharedB ? 0 : b.batchStride, b.rowStride)
        .matrices('out', args.out, m * n, n)
        .dense('bias', args.bias)
        .run(addon.gemm);
    },
  };
}

/** Strides of (..., rows, columns), from a contiguous copy where the kernel cannot walk the view. */
function describe(call: NativeCall, name: string, tensor: TensorLike): Matrices {
  const { shape, strides } = tensor;
  const rank = shape.length;
  const rows = shape[rank - 2] as number;
  const columns = shape[rank - 1] as number;
  if (strides === undefined) {
    return { tensor, batchStride: rows * columns, rowStride: columns, swapped: false };
  }
  const batchStride = leadingStride(shape, strides, rank - 2);
  if (batchStride !== undefined) {
    const rowStep = strides[rank - 2] as number;
    const columnStep = strides[rank - 1] as number;
    if (columns === 1 || columnStep === 1) {
      return { tensor, batchStride, rowStride: rows === 1 ? columns : rowStep, swapped: false };
    }
    // A transposed view: the kernel takes it as it is stored.
    if (rows === 1 || rowStep === 1) return { tensor, batchStride, rowStride: columnStep, swapped: true };
  }
  const copy = call.copied(name, tensor);
  return { tensor: copy, batchStride: rows * columns, rowStride: columns, swapped: false };
}

/** The one stride that walks the first `axes` axes in order; undefined when there is none, 0 for a single member. */
function leadingStride(
  shape: readonly number[],
  strides: readonly number[],
  axes: number,
): number | undefined {
  let stride: number | undefined;
  let span = 1;
  for (let axis = axes - 1; axis >= 0; axis--) {
    const size = shape[axis] as number;
    if (size === 1) continue;
    if (stride === undefined) stride = strides[axis] as number;
    else if (strides[axis] !== stride * span) return undefined;
    span *= size;
  }
  return stride ?? 0;
}
