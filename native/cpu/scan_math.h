/// The decay exp(Delta A) of the scans, as 2^x of an argument that already carries the factor log2(e).
///
///   x = n + r,  n a multiple of 1/16 (AVX-512), 1/8 (AVX2) or 1;   2^x = 2^floor(n) T[frac(n)] (1 + r P(r))
///
/// The scan spends most of its time here, and on AVX-512 and AVX2 machines additions, permutations and integer
/// operations leave by other ports than multiplications. A table in one register shortens the polynomial from six
/// products to three: 8 instead of 10 multiplications for a whole state update. The constant term is exactly 1 and
/// P is fitted to the relative error of (2^r - 1)/r, so that slow decays, whose errors add up over many steps, stay
/// right to the last bit: relative error of 1 - 2^x below 1.1e-7 plus rounding.
/// Oracle: std::exp2 in double, native/test/scan_math_test.cpp.
#pragma once

#include "vector_math.h"

namespace statespace::STATESPACE_ISA_NS {

/// Hides from the compiler that `x` is a product. Contracted into x + magic and x - n, the product would be done
/// twice on the ports that are short here, instead of once beside two additions.
STATESPACE_INLINE Floats as_value(Floats x) {
#if defined(__AVX512F__)
  asm("" : "+v"(x));
#elif defined(__x86_64__)
  asm("" : "+x"(x));
#elif defined(__aarch64__)
  asm("" : "+w"(x));
#endif
  return x;
}

/// a * b + c rounded once, where the machine can: unlike `fma` never split because a * b is at hand already.
STATESPACE_INLINE Floats multiply_add(Floats a, Floats b, Floats c) {
#if defined(__AVX512F__)
  return (Floats)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__AVX2__)
  return (Floats)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
  return a * b + c;
#endif
}

struct Exp2Constants {
  Floats magic;  // adding it rounds to a multiple of 1 / kSteps and leaves that multiple in the low bits
  Floats table;  // 2^(i / kSteps), less i << shift on AVX2, whose integer scaling adds n << shift
  Floats c1, c2, c3, c4;
  Floats low, high;
};

#if defined(__AVX512F__)

STATESPACE_INLINE Exp2Constants exp2_constants() {
  Exp2Constants k = {};
  k.magic = broadcast(0x1.8p19f);
  k.table = Floats{0x1p0f,        0x1.0b5586p0f, 0x1.172b84p0f, 0x1.2387a6p0f, 0x1.306fep0f,  0x1.3dea64p0f,
                   0x1.4bfdaep0f, 0x1.5ab07ep0f, 0x1.6a09e6p0f, 0x1.7a1148p0f, 0x1.8ace54p0f, 0x1.9c4918p0f,
                   0x1.ae89fap0f, 0x1.c199bep0f, 0x1.d5818ep0f, 0x1.ea4afap0f};
  k.c1 = broadcast(0x1.62e43p-1f);
  k.c2 = broadcast(0x1.ebff92p-3f);
  k.c3 = broadcast(0x1.c6b08ep-5f);
  return k;
}

/// e[i] = 2^(x[i] + rest[i]) with `rest` far below a step of the table, or 2^x[i]; 0, denormal and infinite results as
/// IEEE has them, NaN stays NaN. `rest` is not read without kWithRest. Stage by stage: each fills the latency of the one
/// before it, which the scheduler window of the machine is too short to do across whole exponentials.
template <bool kWithRest, int K>
STATESPACE_INLINE void exp2_sum_all(const Floats (&x)[K], const Floats (&rest)[K], Floats (&e)[K],
                                    const Exp2Constants& k) {
  Floats shifted[K], n[K], r[K], q[K], t[K];
  for (int i = 0; i < K; ++i) r[i] = as_value(x[i]);
  for (int i = 0; i < K; ++i) shifted[i] = r[i] + k.magic;
  for (int i = 0; i < K; ++i) n[i] = shifted[i] - k.magic;
  for (int i = 0; i < K; ++i) t[i] = (Floats)_mm512_permutexvar_ps((__m512i)shifted[i], (__m512)k.table);
  for (int i = 0; i < K; ++i) r[i] -= n[i];
  if (kWithRest) {
    for (int i = 0; i < K; ++i) r[i] += rest[i];
  }
  for (int i = 0; i < K; ++i) q[i] = fma(k.c3, r[i], k.c2);
  for (int i = 0; i < K; ++i) q[i] = fma(q[i], r[i], k.c1);
  for (int i = 0; i < K; ++i) r[i] *= t[i];
  for (int i = 0; i < K; ++i) t[i] = fma(r[i], q[i], t[i]);
  for (int i = 0; i < K; ++i) e[i] = (Floats)_mm512_scalef_ps((__m512)t[i], (__m512)n[i]);
}

#elif defined(__AVX2__)

STATESPACE_INLINE Exp2Constants exp2_constants() {
  Exp2Constants k = {};
  k.magic = broadcast(0x1.8p20f);
  const Floats table = {0x1p0f,        0x1.172b84p0f, 0x1.306fep0f,  0x1.4bfdaep0f,
                        0x1.6a09e6p0f, 0x1.8ace54p0f, 0x1.ae89fap0f, 0x1.d5818ep0f};
  k.table = from_bits(bits_of(table) - (iota() << 20));
  k.c1 = broadcast(0x1.62e43p-1f);
  k.c2 = broadcast(0x1.ebfbep-3f);
  k.c3 = broadcast(0x1.c6bb7ap-5f);
  k.c4 = broadcast(0x1.3b2ab6p-7f);
  k.low = broadcast(-126.0f);
  k.high = broadcast(127.875f);
  return k;
}

/// e[i] = 2^(x[i] + rest[i]) with -126 <= x <= 0 and `rest` far below a step of the table; or 2^x[i], not below 2^-126
/// and not much above 2^127: beyond, the exponent added below would wrap. NaN stays NaN. `rest` is not read without
/// kWithRest. Stage by stage, as above.
template <bool kWithRest, int K>
STATESPACE_INLINE void exp2_sum_all(const Floats (&x)[K], const Floats (&rest)[K], Floats (&e)[K],
                                    const Exp2Constants& k) {
  Floats r[K], shifted[K], q[K], scaled[K];
  for (int i = 0; i < K; ++i) r[i] = kWithRest ? x[i] : min(k.high, max(k.low, x[i]));
  for (int i = 0; i < K; ++i) shifted[i] = r[i] + k.magic;
  for (int i = 0; i < K; ++i) r[i] -= shifted[i] - k.magic;
  if (kWithRest) {
    for (int i = 0; i < K; ++i) r[i] += rest[i];
  }
  for (int i = 0; i < K; ++i) {
    const Ints t = (Ints)_mm256_permutevar8x32_ps((__m256)k.table, (__m256i)shifted[i]);
    scaled[i] = from_bits(t + (bits_of(shifted[i]) << 20));
  }
  for (int i = 0; i < K; ++i) q[i] = fma(k.c4, r[i], k.c3);
  for (int i = 0; i < K; ++i) q[i] = fma(q[i], r[i], k.c2);
  for (int i = 0; i < K; ++i) q[i] = fma(q[i], r[i], k.c1);
  for (int i = 0; i < K; ++i) r[i] *= scaled[i];
  for (int i = 0; i < K; ++i) e[i] = fma(r[i], q[i], scaled[i]);
}

#else

STATESPACE_INLINE Exp2Constants exp2_constants() {
  Exp2Constants k = {};
  k.magic = broadcast(0x1.8p23f);
  k.low = broadcast(-126.0f);
  k.high = broadcast(127.49f);
  return k;
}

/// As for AVX2, but one after another: there are registers for one polynomial of this length alone.
template <bool kWithRest, int K>
STATESPACE_INLINE void exp2_sum_all(const Floats (&x)[K], const Floats (&rest)[K], Floats (&e)[K],
                                    const Exp2Constants& k) {
  for (int i = 0; i < K; ++i) {
    const Floats given = kWithRest ? x[i] : min(k.high, max(k.low, x[i]));
    const Floats shifted = given + k.magic;
    const Floats n = shifted - k.magic;
    const Floats r = kWithRest ? given - n + rest[i] : given - n;
    const Floats scale = from_bits((bits_of(shifted) << 23) + 0x3f800000);
    Floats q = fma(broadcast(0x1.4308f4p-13f), r, broadcast(0x1.5f07b4p-10f));
    q = fma(q, r, broadcast(0x1.3b2bap-7f));
    q = fma(q, r, broadcast(0x1.c6af6ep-5f));
    q = fma(q, r, broadcast(0x1.ebfbdep-3f));
    q = fma(q, r, broadcast(0x1.62e43p-1f));
    e[i] = fma(scale * r, q, scale);
  }
}

#endif

/// e[i] = 2^x[i].
template <int K>
STATESPACE_INLINE void exp2_all(const Floats (&x)[K], Floats (&e)[K], const Exp2Constants& k) {
  exp2_sum_all<false>(x, x, e, k);
}

STATESPACE_INLINE Floats exp2_of(Floats x, const Exp2Constants& k) {
  Floats e[1];
  exp2_all({x}, e, k);
  return e[0];
}

/// Below this the exponential is 0, or as little as `exp2_sum_all` gives; infinity would make its pieces NaN.
#if defined(__AVX512F__)
inline constexpr float kLeastExponent = -104.0f;
#else
inline constexpr float kLeastExponent = -87.33654f;
#endif

/// e[i] = exp(-|v[i]|) with the argument reduced in two pieces, so that it stays right to rounding for every v.
template <int K>
STATESPACE_INLINE void exp_minus_abs_all(const Floats (&v)[K], Floats (&e)[K], const Exp2Constants& k) {
  Floats negative[K], x[K], rest[K];
  for (int i = 0; i < K; ++i) negative[i] = from_bits(bits_of(v[i]) | static_cast<int32_t>(0x80000000u));
  for (int i = 0; i < K; ++i) negative[i] = max(broadcast(kLeastExponent), negative[i]);
  for (int i = 0; i < K; ++i) x[i] = as_value(negative[i] * kLog2E);
  // log2(e) = kLog2E + 1.92596e-8, and this product recovers what the one above rounded away.
  for (int i = 0; i < K; ++i) rest[i] = multiply_add(negative[i], broadcast(kLog2E), -x[i]);
  for (int i = 0; i < K; ++i) rest[i] = fma(negative[i], broadcast(1.925963033500e-8f), rest[i]);
  exp2_sum_all<true>(x, rest, e, k);
}

STATESPACE_INLINE Floats exp_minus_abs(Floats v, const Exp2Constants& k) {
  Floats e[1];
  exp_minus_abs_all({v}, e, k);
  return e[0];
}

/// 1 / x for x in [1, 2], within one unit in the last place.
STATESPACE_INLINE Floats reciprocal_of_sum(Floats x) {
#if defined(__AVX512F__)
  const Floats guess = (Floats)_mm512_rcp14_ps((__m512)x);
  return fma(guess, fma(-x, guess, broadcast(1.0f)), guess);
#elif defined(__AVX2__)
  // Of 12 bits, so one term more than above: g (1 + e + e^2) with e = 1 - x g. Division takes twice as long.
  const Floats guess = (Floats)_mm256_rcp_ps((__m256)x);
  const Floats error = fma(-x, guess, broadcast(1.0f));
  return fma(guess, fma(error, error, error), guess);
#else
  return 1.0f / x;
#endif
}

/// softplus(v) = max(v, 0) + log1p(e) from e = exp(-|v|). In float32 this is v itself above the threshold 20.
STATESPACE_INLINE Floats softplus_from(Floats v, Floats e) { return max(Floats{}, v) + log1p_unit(e); }

/// 1 / (1 + exp(-v)) from e = exp(-|v|).
STATESPACE_INLINE Floats logistic_from(Floats v, Floats e) {
  const Floats inverse = reciprocal_of_sum(e + 1.0f);
  return select(v < 0.0f, e * inverse, inverse);
}

/// 1 / (1 + exp(-v)), stage by stage as above.
template <int K>
STATESPACE_INLINE void logistic_all(const Floats (&v)[K], Floats (&sigma)[K], const Exp2Constants& k) {
  Floats e[K], inverse[K];
  exp_minus_abs_all(v, e, k);
  for (int i = 0; i < K; ++i) inverse[i] = reciprocal_of_sum(e[i] + 1.0f);
  for (int i = 0; i < K; ++i) sigma[i] = select(v[i] < 0.0f, e[i] * inverse[i], inverse[i]);
}

STATESPACE_INLINE Floats logistic_of(Floats v, const Exp2Constants& k) {
  return logistic_from(v, exp_minus_abs(v, k));
}

}  // namespace statespace::STATESPACE_ISA_NS
