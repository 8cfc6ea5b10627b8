/** Arrays of other libraries as arrays of kernels: the same memory where a format fits, a copy where one must change. */
import { ArgumentError, DisposedError, type DType, DTypeError, type TypedArray } from '@statespace/ssd-core';

/** Number formats by the names that most libraries give them. */
export type ForeignType =
  | 'float64'
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint64'
  | 'uint32'
  | 'uint16'
  | 'uint8'
  | 'bool'
  | 'complex64'
  | 'complex128';

interface ForeignFormat {
  /** Names of the arrays that may hold it. */
  readonly arrays: readonly string[];
  readonly dtype: DType;
  /** The array of `dtype` over the same memory; absent where the numbers are converted. */
  readonly view?: new (
    buffer: ArrayBufferLike,
    byteOffset: number,
    length: number,
  ) => TypedArray;
}

const integer = (array: string): ForeignFormat => ({ arrays: [array], dtype: 'i32' });

const formats: Readonly<Record<ForeignType, ForeignFormat>> = {
  float64: { arrays: ['Float64Array'], dtype: 'f64', view: Float64Array },
  float32: { arrays: ['Float32Array'], dtype: 'f32', view: Float32Array },
  float16: { arrays: ['Float16Array', 'Uint16Array'], dtype: 'f16', view: Uint16Array },
  bfloat16: { arrays: ['Uint16Array'], dtype: 'bf16', view: Uint16Array },
  int64: integer('BigInt64Array'),
  int32: { arrays: ['Int32Array'], dtype: 'i32', view: Int32Array },
  int16: integer('Int16Array'),
  int8: integer('Int8Array'),
  uint64: integer('BigUint64Array'),
  uint32: integer('Uint32Array'),
  uint16: integer('Uint16Array'),
  uint8: { arrays: ['Uint8Array', 'Uint8ClampedArray'], dtype: 'u8', view: Uint8Array },
  bool: { arrays: ['Uint8Array'], dtype: 'u8', view: Uint8Array },
  complex64: { arrays: ['Float32Array'], dtype: 'c64', view: Float32Array },
  complex128: { arrays: ['Float64Array'], dtype: 'c128', view: Float64Array },
};

/** The prototype's own getter, so that what an object claims to be does not count. */
const tagGetter = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)?.get;

/** `'Float32Array'` and its like; undefined for what is no typed array. */
export function arrayName(data: unknown): string | undefined {
  return tagGetter?.call(data) as string | undefined;
}

/**
 * `data` of the format `type` as an array of a kernel's format. Integers other than int32 and uint8 become int32.
 * @throws {DTypeError} for another format or another array. @throws {ArgumentError} for an integer that int32 cannot hold.
 */
export function readNumbers(
  op: string,
  argument: string,
  type: string,
  data: unknown,
): { readonly data: TypedArray; readonly dtype: DType } {
  const known =
    typeof type === 'string' && Object.hasOwn(formats, type) ? formats[type as ForeignType] : undefined;
  if (known === undefined) {
    throw new DTypeError({
      op,
      argument,
      wanted: Object.keys(formats).join(' or '),
      got: typeof type === 'string' ? type : typeof type,
    });
  }
  const { arrays, dtype, view } = known;
  const name = arrayName(data);
  if (name === undefined || !arrays.includes(name)) {
    const got = name ?? (Array.isArray(data) ? 'Array' : typeof data);
    throw new DTypeError({ op, argument, wanted: `a ${arrays.join(' or ')} of ${type}`, got });
  }
  if (view === undefined) return { data: toInt32(op, argument, data as ForeignIntegers), dtype };
  // Of another realm, a subclass or another name for the same bits: seen as the plain array.
  const { buffer, byteOffset, length } = data as TypedArray;
  try {
    return {
      data: data?.constructor === view ? (data as TypedArray) : new view(buffer, byteOffset, length),
      dtype,
    };
  } catch (cause) {
    throw new DisposedError({ op, argument, got: 'an array whose ArrayBuffer was detached', cause });
  }
}

type ForeignIntegers = Int8Array | Int16Array | Uint16Array | Uint32Array | BigInt64Array | BigUint64Array;

function toInt32(op: string, argument: string, data: ForeignIntegers): Int32Array {
  const out = new Int32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]);
    if (value < -2147483648 || value > 2147483647) {
      throw new ArgumentError({
        op,
        argument: `${argument}[${i}]`,
        wanted: 'an integer that int32 holds, since kernels take indices as int32',
        got: String(data[i]),
      });
    }
    out[i] = value;
  }
  return out;
}
