/**
 * IEEE binary16 (`f16`) and bfloat16 (`bf16`) as bit patterns in a `Uint16Array`.
 *
 * Encoding rounds a float64 once, to nearest with ties to even; going through float32 first would round twice.
 */

interface HalfFormat {
  /** Stored significand bits. */
  readonly fractionBits: number;
  /** Exponent of the smallest normal number. */
  readonly minExponent: number;
  /** Exponent of the largest finite number. */
  readonly maxExponent: number;
  readonly infinity: number;
  readonly nan: number;
}

const binary16: HalfFormat = {
  fractionBits: 10,
  minExponent: -14,
  maxExponent: 15,
  infinity: 0x7c00,
  nan: 0x7e00,
};
const bfloat16: HalfFormat = {
  fractionBits: 7,
  minExponent: -126,
  maxExponent: 127,
  infinity: 0x7f80,
  nan: 0x7fc0,
};

const float64 = new Float64Array(1);
const words = new Uint32Array(float64.buffer);
const highWord = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

const float32 = new Float32Array(1);
const float32Bits = new Uint32Array(float32.buffer);

/** 2^exponent for a normal float64 exponent, exactly. */
function powerOfTwo(exponent: number): number {
  words[0] = 0;
  words[1] = 0;
  words[highWord] = (exponent + 1023) << 20;
  return float64[0] as number;
}

/** Adding and taking away 2^52 leaves a float64 below 2^52 rounded to an integer, ties to even. */
const integerGrid = 4503599627370496;

function encode(value: number, format: HalfFormat): number {
  if (Number.isNaN(value)) return format.nan;
  float64[0] = value;
  const sign = ((words[highWord] as number) >>> 16) & 0x8000;
  const exponent = (((words[highWord] as number) >>> 20) & 0x7ff) - 1023;
  if (exponent > format.maxExponent) return sign | format.infinity;
  // Subnormals share the spacing of the smallest normal numbers.
  const scaleExponent = Math.max(exponent, format.minExponent);
  const significand = Math.abs(value) * powerOfTwo(format.fractionBits - scaleExponent);
  const rounded = significand + integerGrid - integerGrid;
  // A normal number's hidden bit adds 1 to the exponent field, hence the field of the binade below; a
  // significand that rounds up to the next binade carries into the exponent, up to infinity, by itself.
  return sign | (((scaleExponent - format.minExponent) << format.fractionBits) + rounded);
}

/** Bit pattern of the binary16 number nearest to `value`, ties to even; infinity from 65520 on. */
export function encodeFloat16(value: number): number {
  return encode(value, binary16);
}

/** Bit pattern of the bfloat16 number nearest to `value`, ties to even. */
export function encodeBfloat16(value: number): number {
  return encode(value, bfloat16);
}

/** The number a binary16 bit pattern stands for. */
export function decodeFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * powerOfTwo(-24);
  return sign * (fraction + 1024) * powerOfTwo(exponent - 25);
}

/** The number a bfloat16 bit pattern stands for: the upper half of a float32. */
export function decodeBfloat16(bits: number): number {
  float32Bits[0] = bits << 16;
  return float32[0] as number;
}
