/** Number formats of tensors, and the typed arrays that hold them. */
import { DTypeError, OutOfMemoryError } from './errors.js';

/**
 * Storage formats: IEEE floats, bfloat16, 32-bit integers, bytes, and complex numbers as interleaved
 * (re, im) pairs of f32 (`c64`) or f64 (`c128`).
 */
export type DType = 'f32' | 'f64' | 'f16' | 'bf16' | 'i32' | 'u8' | 'c64' | 'c128';

/** Formats a tensor op computes with. */
export type FloatDType = 'f32' | 'f64';

/** Host arrays that may back a tensor. `Uint16Array` needs a dtype tag, `'f16'` or `'bf16'`. */
export type TypedArray = Float32Array | Float64Array | Uint16Array | Int32Array | Uint8Array;

interface DTypeTraits {
  /** Bytes of one array element (a complex number takes two elements). */
  readonly bytesPerElement: number;
  readonly allocate: (length: number) => TypedArray;
}

const traits: Record<DType, DTypeTraits> = {
  f32: { bytesPerElement: 4, allocate: (n) => new Float32Array(n) },
  f64: { bytesPerElement: 8, allocate: (n) => new Float64Array(n) },
  f16: { bytesPerElement: 2, allocate: (n) => new Uint16Array(n) },
  bf16: { bytesPerElement: 2, allocate: (n) => new Uint16Array(n) },
  i32: { bytesPerElement: 4, allocate: (n) => new Int32Array(n) },
  u8: { bytesPerElement: 1, allocate: (n) => new Uint8Array(n) },
  c64: { bytesPerElement: 4, allocate: (n) => new Float32Array(n) },
  c128: { bytesPerElement: 8, allocate: (n) => new Float64Array(n) },
};

/** @throws {DTypeError} unless `dtype` is one. */
export function checkDType(op: string, dtype: DType): void {
  if (typeof dtype === 'string' && Object.hasOwn(traits, dtype)) return;
  const got = typeof dtype === 'string' ? `'${dtype}'` : typeof dtype;
  throw new DTypeError({ op, argument: 'dtype', wanted: Object.keys(traits).join(' or '), got });
}

/** Bytes of one array element of `dtype`; complex numbers occupy two elements. */
export function bytesPerElement(dtype: DType): number {
  return traits[dtype].bytesPerElement;
}

/** A zero-filled host array of `length` elements for `dtype`. @throws {OutOfMemoryError} */
export function allocateHostArray(dtype: DType, length: number): TypedArray {
  try {
    return traits[dtype].allocate(length);
  } catch (cause) {
    throw new OutOfMemoryError({ op: 'allocate', got: `${length} elements of ${dtype}`, cause });
  }
}

/** Which argument of which function a message is about. */
export interface ArgumentPlace {
  readonly op: string;
  readonly argument: string;
}

const here: ArgumentPlace = { op: 'dtypeOf', argument: 'dtype' };

/**
 * The dtype a host array stands for: its own type, or `tag` where the array type alone does not say.
 * @throws {DTypeError} for a `Uint16Array` without a tag, or a tag that does not fit the array.
 */
export function dtypeOf(data: TypedArray, tag?: DType, place: ArgumentPlace = here): DType {
  const fits: Record<DType, boolean> = {
    f32: data instanceof Float32Array,
    f64: data instanceof Float64Array,
    f16: data instanceof Uint16Array,
    bf16: data instanceof Uint16Array,
    i32: data instanceof Int32Array,
    u8: data instanceof Uint8Array,
    c64: data instanceof Float32Array,
    c128: data instanceof Float64Array,
  };
  if (tag !== undefined) {
    if (typeof tag !== 'string' || !Object.hasOwn(fits, tag)) {
      const got = typeof tag === 'string' ? `'${tag}'` : typeof tag;
      throw new DTypeError({ ...place, wanted: Object.keys(fits).join(' or '), got });
    }
    if (fits[tag]) return tag;
    throw new DTypeError({
      ...place,
      wanted: `an array of ${tag}`,
      got: describe(data),
    });
  }
  if (data instanceof Uint16Array) {
    throw new DTypeError({
      ...place,
      wanted: "the dtype 'f16' or 'bf16' with a Uint16Array",
      got: 'none',
    });
  }
  for (const dtype of ['f32', 'f64', 'i32', 'u8'] as const) if (fits[dtype]) return dtype;
  throw new DTypeError({ ...place, wanted: 'a typed array', got: describe(data) });
}

/** What a caller passed in place of an array, without reading its entries: a detached array has none. */
function describe(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? (value.constructor?.name ?? 'an object')
    : String(value);
}
