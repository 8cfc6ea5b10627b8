/// One register of floats or doubles, and elementary functions of it, for kernels that are written once for both.
///
/// The functions are series in Horner form, as long as the format needs, behind an exact reduction of the argument. They
/// serve where accuracy counts more than the last third of speed; vector_math.h has those that float kernels live on.
#pragma once

#include "simd.h"

namespace statespace::STATESPACE_ISA_NS {

template <typename Real>
struct VectorTraits;

template <>
struct VectorTraits<float> {
  typedef Floats Vector;
  typedef Ints Integers;
  typedef float Unaligned __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
  static constexpr int kBits = 23, kBias = 127;
  static constexpr int kExpTerms = 7, kLogTerms = 8, kSinTerms = 5;
  /// ln 2 and pi / 2 in parts whose products with small integers are exact.
  static constexpr float kLn2[2] = {0.693359375f, -2.12194440e-4f};
  static constexpr float kHalfPi[4] = {0x1.92p+0f, 0x1.fap-12f, 0x1.54p-20f, 0x1.10b462p-30f};
  static constexpr float kExpMin = -103.0f, kExpMax = 88.7f;
};

template <>
struct VectorTraits<double> {
  typedef double Vector __attribute__((vector_size(kLanes * 4)));
  typedef int64_t Integers __attribute__((vector_size(kLanes * 4)));
  typedef double Unaligned __attribute__((vector_size(kLanes * 4), aligned(8), may_alias));
  static constexpr int kBits = 52, kBias = 1023;
  static constexpr int kExpTerms = 14, kLogTerms = 18, kSinTerms = 9;
  static constexpr double kLn2[2] = {0x1.62e42feep-1, 0x1.a39ef35793c76p-33};
  static constexpr double kHalfPi[4] = {0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2ep-69, 0x1.b839a252049c1p-104};
  static constexpr double kExpMin = -745.0, kExpMax = 709.7;
};

template <typename Real>
using VectorOf = typename VectorTraits<Real>::Vector;
template <typename Real>
using IntegersOf = typename VectorTraits<Real>::Integers;

/// Lanes of VectorOf<Real>.
template <typename Real>
inline constexpr int64_t kRealLanes = kLanes * 4 / static_cast<int64_t>(sizeof(Real));

template <typename Real>
STATESPACE_INLINE VectorOf<Real> load_vector(const Real* p) {
  return (VectorOf<Real>)*reinterpret_cast<const typename VectorTraits<Real>::Unaligned*>(p);
}
template <typename Real>
STATESPACE_INLINE void store_vector(Real* p, const VectorOf<Real>& v) {
  *reinterpret_cast<typename VectorTraits<Real>::Unaligned*>(p) = v;
}
template <typename Real>
STATESPACE_INLINE VectorOf<Real> vector_of(Real x) {
  return x - VectorOf<Real>{};
}

/// The first `count` numbers at p, 0 <= count <= kRealLanes; the other lanes are 0 and their memory is not touched.
template <typename Real>
STATESPACE_INLINE VectorOf<Real> load_first(const Real* p, int64_t count) {
  if constexpr (sizeof(Real) == sizeof(float)) {
    return load_partial(p, count);
  } else {
#if defined(__AVX512F__)
    return (VectorOf<Real>)_mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << count) - 1u), p);
#else
    VectorOf<Real> v = {};
    for (int64_t i = 0; i < count; ++i) v[i] = p[i];
    return v;
#endif
  }
}

/// Writes the first `count` lanes, 0 <= count <= kRealLanes, and no other memory.
template <typename Real>
STATESPACE_INLINE void store_first(Real* p, const VectorOf<Real>& v, int64_t count) {
  if constexpr (sizeof(Real) == sizeof(float)) {
    store_partial(p, v, count);
  } else {
#if defined(__AVX512F__)
    _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << count) - 1u), (__m512d)v);
#else
    for (int64_t i = 0; i < count; ++i) p[i] = v[i];
#endif
  }
}

/// Sum of the lanes, as a tree of halves.
template <typename Real>
STATESPACE_INLINE Real lane_total(const VectorOf<Real>& v) {
  if constexpr (sizeof(Real) == sizeof(float)) return reduce_add(v);
#if defined(__AVX512F__)
  if constexpr (sizeof(Real) == sizeof(double)) return _mm512_reduce_add_pd((__m512d)v);
#endif
  Real lanes[kRealLanes<Real>];
  store_vector<Real>(lanes, v);
  for (int64_t half = kRealLanes<Real> / 2; half > 0; half /= 2) {
    for (int64_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

/// The nearest integers, and them as numbers, for |x| far below 2^kBits.
template <typename Real>
struct Rounded {
  VectorOf<Real> value;
  IntegersOf<Real> integer;
};

template <typename Real>
STATESPACE_INLINE Rounded<Real> rounded(const VectorOf<Real>& x) {
  // 1.5 * 2^kBits: the sum has no bits below 1, and its low bits are the integer.
  const Real magic = static_cast<Real>(int64_t{3} << (VectorTraits<Real>::kBits - 1));
  const VectorOf<Real> shifted = x + magic;
  const auto bits = (IntegersOf<Real>)shifted;
  return {shifted - magic, bits - (IntegersOf<Real>)vector_of<Real>(magic)};
}

/// v 2^n, gradual underflow included: by two halves of n, since 2^n itself may not be a number.
template <typename Real>
STATESPACE_INLINE VectorOf<Real> times_power(const VectorOf<Real>& v, const IntegersOf<Real>& n) {
  using T = VectorTraits<Real>;
  const IntegersOf<Real> low = n >> 1, high = n - low;
  return v * (VectorOf<Real>)((low + T::kBias) << T::kBits) * (VectorOf<Real>)((high + T::kBias) << T::kBits);
}

/// exp(x), 0 and infinity beyond the format; NaN stays NaN.
template <typename Real>
STATESPACE_INLINE VectorOf<Real> real_exp(VectorOf<Real> x) {
  using T = VectorTraits<Real>;
  const auto below = x < T::kExpMin, above = x > T::kExpMax;
  x = below ? vector_of<Real>(T::kExpMin) : above ? vector_of<Real>(T::kExpMax) : x;
  const Rounded<Real> n = rounded<Real>(x * static_cast<Real>(1.4426950408889634));
  const VectorOf<Real> r = (x - n.value * T::kLn2[0]) - n.value * T::kLn2[1];
  VectorOf<Real> sum = vector_of<Real>(1);
#pragma GCC unroll 16
  for (int k = T::kExpTerms; k > 0; --k) sum = sum * r * static_cast<Real>(1.0 / k) + static_cast<Real>(1);
  const VectorOf<Real> result = times_power<Real>(sum, n.integer);
  const Real infinity = static_cast<Real>(__builtin_inf());
  return below ? VectorOf<Real>{} : above ? vector_of<Real>(infinity) : result;
}

/// log(1 + y) for 0 <= y <= 1: 2 artanh(y / (2 + y)).
template <typename Real>
STATESPACE_INLINE VectorOf<Real> real_log1p_unit(const VectorOf<Real>& y) {
  const VectorOf<Real> s = y / (y + static_cast<Real>(2));
  const VectorOf<Real> s2 = s * s;
  VectorOf<Real> sum = {};
#pragma GCC unroll 20
  for (int k = VectorTraits<Real>::kLogTerms; k >= 0; --k) sum = sum * s2 + static_cast<Real>(1.0 / (2 * k + 1));
  return 2 * s * sum;
}

template <typename Real>
STATESPACE_INLINE VectorOf<Real> exp_of_minus_size(const VectorOf<Real>& v) {
  return real_exp<Real>(v < 0 ? v : -v);
}

/// log1p(exp v): v itself where exp(-v) is lost to rounding, which is above the threshold 20 in float only; in double the
/// sum is taken there too, as the oracle takes it below 20, and v above.
template <typename Real>
STATESPACE_INLINE VectorOf<Real> real_softplus(const VectorOf<Real>& v) {
  const VectorOf<Real> sum = (v > 0 ? v : VectorOf<Real>{}) + real_log1p_unit<Real>(exp_of_minus_size<Real>(v));
  return v > 20 ? v : sum;
}

/// 1 / (1 + exp(-v)).
template <typename Real>
STATESPACE_INLINE VectorOf<Real> real_sigmoid(const VectorOf<Real>& v) {
  const VectorOf<Real> e = exp_of_minus_size<Real>(v);
  const VectorOf<Real> inverse = 1 / (e + static_cast<Real>(1));
  return v < 0 ? e * inverse : inverse;
}

/// d softplus / dv: 1 above the threshold, where softplus is v.
template <typename Real>
STATESPACE_INLINE VectorOf<Real> real_softplus_slope(const VectorOf<Real>& v) {
  return v > 20 ? vector_of<Real>(1) : real_sigmoid<Real>(v);
}

template <typename Real>
STATESPACE_INLINE VectorOf<Real> real_silu(const VectorOf<Real>& v) {
  return v * real_sigmoid<Real>(v);
}

template <typename Real>
STATESPACE_INLINE VectorOf<Real> real_silu_slope(const VectorOf<Real>& v) {
  const VectorOf<Real> s = real_sigmoid<Real>(v);
  return s * (1 + v * (1 - s));
}

/// Sine and cosine, for |x| up to about 10^5 (float) or 10^6 (double).
template <typename Real>
struct SineCosine {
  VectorOf<Real> sine;
  VectorOf<Real> cosine;
};

template <typename Real>
STATESPACE_INLINE SineCosine<Real> sine_cosine(const VectorOf<Real>& x) {
  using T = VectorTraits<Real>;
  const Rounded<Real> quarter = rounded<Real>(x * static_cast<Real>(0.63661977236758134));
  VectorOf<Real> r = x;
#pragma GCC unroll 4
  for (const Real part : T::kHalfPi) r = r - quarter.value * part;
  const VectorOf<Real> r2 = r * r;
  VectorOf<Real> sine = vector_of<Real>(1), cosine = vector_of<Real>(1);
#pragma GCC unroll 16
  for (int k = T::kSinTerms; k > 0; --k) {
    sine = 1 - sine * r2 * static_cast<Real>(1.0 / (2 * k * (2 * k + 1)));
    cosine = 1 - cosine * r2 * static_cast<Real>(1.0 / (2 * k * (2 * k - 1)));
  }
  sine = sine * r;
  // Each quarter turn: (sin, cos) -> (cos, -sin).
  const auto odd = (quarter.integer & 1) != 0, half = (quarter.integer & 2) != 0;
  const VectorOf<Real> s = odd ? cosine : sine, c = odd ? -sine : cosine;
  return {half ? -s : s, half ? -c : c};
}

}  // namespace statespace::STATESPACE_ISA_NS
