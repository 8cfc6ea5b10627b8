/** New tensors from numbers. Random ones: `random/draw.ts`. */
import {
  ArgumentError,
  allocateHostArray,
  type DType,
  dtypeOf,
  elementCount,
  formatShape,
  ShapeError,
  type TypedArray,
} from '@statespace/ssd-core';
import { getDeviceKernels } from './device.js';
import { encodeNumbers } from './numbers.js';
import { allocate, allocateLike, type Like } from './ops/layout.js';
import { checkShape, type Shape } from './shape.js';
import type { Tensor } from './tensor.js';

/** Where a new tensor lives, and in which format. */
export interface TensorOptions {
  /** Default: f32, or the format of a typed array. */
  readonly dtype?: DType;
  /** Default: `getDefaultDevice()`. */
  readonly device?: string;
  /** Default false. */
  readonly requiresGrad?: boolean;
}

/** A number, arrays nested evenly, or a typed array. */
export type TensorData = number | readonly TensorData[] | TypedArray;

/**
 * A tensor from numbers: nested arrays give its shape, a flat or typed array takes `shape` (default: one axis).
 * A `Uint16Array` is raw f16 or bf16 and needs `dtype`; any other array is converted to `dtype`.
 * @throws {ShapeError} for uneven nesting or a shape that does not fit.
 */
export function tensor(data: TensorData, options: TensorOptions & { readonly shape?: Shape } = {}): Tensor {
  const { numbers, shape: own } = readData(data);
  const shape = options.shape ?? own;
  checkShape('tensor', shape);
  if (elementCount(shape) !== numbers.length) {
    throw new ShapeError({
      op: 'tensor',
      argument: 'shape',
      wanted: `${numbers.length} elements in all`,
      got: formatShape(shape),
    });
  }
  if (numbers instanceof Uint16Array) dtypeOf(numbers, options.dtype);
  const dtype = options.dtype ?? (ArrayBuffer.isView(numbers) ? dtypeOf(numbers) : 'f32');
  const out = empty(shape, { ...options, dtype });
  if (numbers.length > 0) out.kernels.upload(out.data, encodeNumbers('tensor', numbers, dtype));
  return out;
}

function readData(data: TensorData): { numbers: readonly number[] | TypedArray; shape: Shape } {
  if (typeof data === 'number') return { numbers: [data], shape: [] };
  if (ArrayBuffer.isView(data)) return { numbers: data, shape: [data.length] };
  const shape: number[] = [];
  for (let level: TensorData | undefined = data; Array.isArray(level); level = level[0])
    shape.push(level.length);
  const numbers: number[] = [];
  collect(data, 0, shape, numbers);
  return { numbers, shape };
}

function collect(level: TensorData, depth: number, shape: Shape, into: number[]): void {
  if (depth === shape.length && typeof level === 'number') {
    into.push(level);
    return;
  }
  if (!Array.isArray(level) || level.length !== shape[depth]) {
    throw new ShapeError({
      op: 'tensor',
      argument: 'data',
      wanted: `numbers nested evenly as ${formatShape(shape)}`,
      got: Array.isArray(level) ? `an array of ${level.length} at depth ${depth}` : String(level),
    });
  }
  for (const item of level) collect(item as TensorData, depth + 1, shape, into);
}

/** A tensor whose contents are undefined until written. */
export function empty(shape: Shape, options: TensorOptions = {}): Tensor {
  checkShape('empty', shape);
  const dtype = options.dtype ?? 'f32';
  if (dtype === 'c64' || dtype === 'c128') {
    throw new ArgumentError({
      op: 'empty',
      argument: 'dtype',
      wanted: 'a real format: complex values are real tensors with a last axis of 2 (re, im)',
      got: dtype,
    });
  }
  const out = allocate(getDeviceKernels(options.device), dtype, shape);
  if (options.requiresGrad === true) out.requiresGrad = true;
  return out;
}

/** A tensor of one repeated value. */
export function full(shape: Shape, value: number, options: TensorOptions = {}): Tensor {
  const out = empty(shape, options);
  if (out.size > 0) out.kernels.fill({ out, value });
  return out;
}

/** A tensor of zeros. */
export function zeros(shape: Shape, options: TensorOptions = {}): Tensor {
  return full(shape, 0, options);
}

/** A tensor of ones. */
export function ones(shape: Shape, options: TensorOptions = {}): Tensor {
  return full(shape, 1, options);
}

/** start, start + step, ... below `end` (above it for a negative step). */
export function arange(
  end: number,
  options: TensorOptions & { readonly start?: number; readonly step?: number } = {},
): Tensor {
  const { start = 0, step = 1 } = options;
  const count = Math.max(0, Math.ceil((end - start) / step));
  if (!Number.isSafeInteger(count)) {
    throw new ArgumentError({
      op: 'arange',
      wanted: 'finite bounds and a step other than 0',
      got: `${start}, ${end}, ${step}`,
    });
  }
  const dtype = options.dtype ?? 'f32';
  const numbers = allocateHostArray('f64', count);
  for (let i = 0; i < count; i++) numbers[i] = start + i * step;
  return tensor(numbers, { ...options, dtype });
}

/** An undefined tensor with the device, format and shape of `x`. */
export function emptyLike(x: Like): Tensor {
  return allocateLike(x);
}

/** Zeros with the device, format and shape of `x`. */
export function zerosLike(x: Like): Tensor {
  return filledLike(x, 0);
}

/** Ones with the device, format and shape of `x`. */
export function onesLike(x: Like): Tensor {
  return filledLike(x, 1);
}

function filledLike(x: Like, value: number): Tensor {
  const out = allocateLike(x);
  if (out.size > 0) out.kernels.fill({ out, value });
  return out;
}
