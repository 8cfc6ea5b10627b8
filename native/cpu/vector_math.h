/// Elementary functions of float vectors, each within a few units of 1e-7 relative, right at infinities and NaN.
/// Polynomials are interpolations at Chebyshev nodes, rounded to float32; the error named is the polynomial's own.
#pragma once

#include "simd.h"

namespace statespace::STATESPACE_ISA_NS {

/// c[0] + c[1] x + ... by Horner's rule; coefficients highest first.
template <typename... Rest>
STATESPACE_INLINE Floats polynomial(Floats x, float highest, Rest... lower) {
  Floats sum = broadcast(highest);
  ((sum = fma(sum, x, broadcast(lower))), ...);
  return sum;
}

inline constexpr float kLog2E = 1.44269504f;
/// ln 2 in two parts; the product of the first (9 bits) with any exponent is exact.
inline constexpr float kLn2High = 0.693359375f;
inline constexpr float kLn2Low = -2.12194440e-4f;

/// Nearest integers, ties to even, for |x| < 2^22.
STATESPACE_INLINE Floats round_small(Floats x) {
  const Floats magic = broadcast(12582912.0f);  // 1.5 * 2^23: the sum has no bits below 1
  return (x + magic) - magic;
}

/// exp(r) for |r| <= ln 2 / 2, polynomial error 1.1e-8.
STATESPACE_INLINE Floats exp_reduced(Floats r) {
  const Floats tail =
      polynomial(r, 1.392621347e-3f, 8.363202972e-3f, 4.166655444e-2f, 1.666657685e-1f, 0.5f);
  return fma(r * r, tail, r) + 1.0f;
}

/// exp(x): Cody-Waite reduction, 0 from about -104 down, infinity from about 88.73 up.
STATESPACE_INLINE Floats exp(Floats x) {
  // Beyond these bounds the result is 0 or infinity anyway. The order of operands keeps NaN.
  x = max(broadcast(-105.0f), min(broadcast(89.0f), x));
  const Floats n = round_small(x * kLog2E);
  const Floats r = fma(n, broadcast(-kLn2Low), fma(n, broadcast(-kLn2High), x));
  return scale_by_power(exp_reduced(r), n);
}

/// 2^x, polynomial error 9.2e-9: for arguments that carry the factor log2(e) already, cheaper than exp.
STATESPACE_INLINE Floats exp2(Floats x) {
  x = max(broadcast(-151.0f), min(broadcast(129.0f), x));
  const Floats n = round_small(x);
  return scale_by_power(polynomial(x - n, 1.545316295e-4f, 1.339086336e-3f, 9.618082557e-3f, 5.550357114e-2f,
                                   2.402265076e-1f, 6.931471880e-1f, 1.0f),
                        n);
}

/// exp(x) - 1 without cancellation near 0.
STATESPACE_INLINE Floats expm1(Floats x) {
  const Floats tail =
      polynomial(x, 1.392621347e-3f, 8.363202972e-3f, 4.166655444e-2f, 1.666657685e-1f, 0.5f);
  return select(abs(x) < 0.34f, fma(x * x, tail, x), exp(x) - 1.0f);
}

/// Natural logarithm: -inf at 0, NaN below, subnormals included; polynomial error 3.4e-9.
STATESPACE_INLINE Floats log(Floats x) {
  const Ints subnormal = x < 1.17549435e-38f;
  const Floats scaled = select(subnormal, x * 8388608.0f, x);
  // x = m 2^e with m in [sqrt(1/2), sqrt(2)): take the exponent after a shift by the bits of sqrt(1/2).
  // Unsigned, because the bits of negative numbers wrap around; their result is replaced below.
  const Ints shifted = (Ints)((Words)bits_of(scaled) - 0x3f3504f3u);
  const Ints exponent = (shifted >> 23) - select(subnormal, broadcast(23), broadcast(0));
  const Floats m = from_bits((shifted & 0x007fffff) + 0x3f3504f3);
  const Floats f = m - 1.0f;
  const Floats e = to_floats(exponent);
  const Floats f2 = f * f;
  const Floats tail =
      polynomial(f, 6.971611471e-2f, -1.147973385e-1f, 1.168541992e-1f, -1.242568733e-1f, 1.424905765e-1f,
                 -1.666780232e-1f, 2.000071575e-1f, -2.499999696e-1f, 3.333333118e-1f);
  Floats result = fma(f2 * f, tail, e * kLn2Low);
  result = fma(f2, broadcast(-0.5f), result);
  result = fma(e, broadcast(kLn2High), f + result);
  const float infinity = __builtin_inff();
  result = select(x == 0.0f, broadcast(-infinity), result);
  result = select(x < 0.0f, broadcast(__builtin_nanf("")), result);
  return select(x < infinity, result, select(x == infinity, x, x + result));
}

/// log(1 + x) for any x >= -1: the logarithm of the rounded sum, corrected by what the rounding lost.
STATESPACE_INLINE Floats log1p(Floats x) {
  const Floats u = x + 1.0f;
  const Floats lost = x - (u - 1.0f);
  const Floats result = log(u) + lost / u;
  const Ints ordinary = (abs(u) < __builtin_inff()) & (u != 0.0f);
  return select(ordinary, select(abs(x) < 1e-8f, x, result), log(u));
}

/// log(1 + y) for 0 <= y <= 1, polynomial error 1.4e-8.
STATESPACE_INLINE Floats log1p_unit(Floats y) {
  return y * polynomial(y, -3.176057018e-3f, 1.954252726e-2f, -5.637361283e-2f, 1.054362380e-1f, -1.526966707e-1f,
                        1.966327426e-1f, -2.495161626e-1f, 3.332971050e-1f, -4.999989265e-1f, 9.999999947e-1f);
}

/// log1p(exp(v)), as max(v, 0) + log1p(exp(-|v|)): equal to v where v > 20, by float32 rounding.
STATESPACE_INLINE Floats softplus(Floats v) {
  const Floats rest = log1p_unit(exp(-abs(v)));
  return max(broadcast(0.0f), v) + rest;
}

/// 1 / (1 + exp(-v)), the derivative of softplus.
STATESPACE_INLINE Floats sigmoid(Floats v) { return 1.0f / (1.0f + exp(-v)); }

/// v sigmoid(v).
STATESPACE_INLINE Floats silu(Floats v) { return v / (1.0f + exp(-v)); }

/// d silu / dv = s (1 + v (1 - s)), s = sigmoid(v).
STATESPACE_INLINE Floats silu_derivative(Floats v) {
  const Floats s = sigmoid(v);
  return s * fma(v, 1.0f - s, broadcast(1.0f));
}

/// silu(v) and its derivative from one exponential.
struct SiluPair {
  Floats value;
  Floats derivative;
};

STATESPACE_INLINE SiluPair silu_pair(Floats v) {
  const Floats s = sigmoid(v);
  const Floats value = v * s;
  return {value, fma(value, 1.0f - s, s)};
}

/// Hyperbolic tangent: a polynomial below 0.63 (error 1.8e-8), exponentials above.
STATESPACE_INLINE Floats tanh(Floats x) {
  const Floats size = abs(x);
  const Floats x2 = x * x;
  const Floats tail = polynomial(x2, -6.045165097e-3f, 2.096132911e-2f, -5.384326318e-2f, 1.333271885e-1f,
                                 -3.333332843e-1f);
  const Floats small = fma(x * x2, tail, x);
  const Floats large = 1.0f - 2.0f / (exp(size + size) + 1.0f);
  const Floats with_sign = from_bits(bits_of(large) | (bits_of(x) & static_cast<int32_t>(0x80000000u)));
  return select(size < 0.62f, small, with_sign);
}

/// Applies a function of libm to each lane, where a vector form would seldom pay.
STATESPACE_INLINE Floats per_lane(Floats v, float (*function)(float)) {
  for (int i = 0; i < kLanes; ++i) v[i] = function(v[i]);
  return v;
}

}  // namespace statespace::STATESPACE_ISA_NS
