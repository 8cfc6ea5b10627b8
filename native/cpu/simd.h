/// Float vectors of the instruction set this file is compiled for, on GCC/Clang vector extensions.
///
/// Kernel sources are compiled once per instruction set, each time with another STATESPACE_ISA_NS. Everything a
/// kernel uses lives in that namespace (or is a plain extern function), because an inline function shared by two
/// instruction sets would be merged by the linker, and the AVX-512 copy could run on a machine without it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#ifndef STATESPACE_ISA_NS
#error "compile kernel sources through CMake, which defines STATESPACE_ISA_NS"
#endif

#define STATESPACE_INLINE static inline __attribute__((always_inline))
/// As STATESPACE_INLINE, for members.
#define STATESPACE_FORCED inline __attribute__((always_inline))

namespace statespace::STATESPACE_ISA_NS {

#if defined(__AVX512F__)
inline constexpr int kLanes = 16;
#elif defined(__AVX2__)
inline constexpr int kLanes = 8;
#else
inline constexpr int kLanes = 4;
#endif

typedef float Floats __attribute__((vector_size(kLanes * 4)));
typedef int32_t Ints __attribute__((vector_size(kLanes * 4)));
typedef uint32_t Words __attribute__((vector_size(kLanes * 4)));
/// As many doubles as `Floats` has floats: two registers.
typedef double Doubles __attribute__((vector_size(kLanes * 8)));

typedef float UnalignedFloats __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef int32_t UnalignedInts __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));

STATESPACE_INLINE Floats load(const float* p) { return *reinterpret_cast<const UnalignedFloats*>(p); }
STATESPACE_INLINE void store(float* p, Floats v) { *reinterpret_cast<UnalignedFloats*>(p) = v; }
STATESPACE_INLINE Ints load(const int32_t* p) { return *reinterpret_cast<const UnalignedInts*>(p); }
STATESPACE_INLINE void store(int32_t* p, Ints v) { *reinterpret_cast<UnalignedInts*>(p) = v; }
STATESPACE_INLINE Floats broadcast(float x) { return x - Floats{}; }
STATESPACE_INLINE Ints broadcast(int32_t x) { return x - Ints{}; }

/// 0, 1, 2, ...
STATESPACE_INLINE Ints iota() {
  Ints v;
  for (int i = 0; i < kLanes; ++i) v[i] = i;
  return v;
}

/// The first `count` floats at p, 0 <= count <= kLanes; the other lanes are 0 and their memory is not touched.
STATESPACE_INLINE Floats load_partial(const float* p, int64_t count) {
#if defined(__AVX512F__)
  return (Floats)_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1u), p);
#elif defined(__AVX2__)
  return (Floats)_mm256_maskload_ps(p, (__m256i)(iota() < broadcast(static_cast<int32_t>(count))));
#else
  Floats v = {};
  for (int64_t i = 0; i < count; ++i) v[i] = p[i];
  return v;
#endif
}

/// Writes the first `count` lanes, 0 <= count <= kLanes, and no other memory.
STATESPACE_INLINE void store_partial(float* p, Floats v, int64_t count) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << count) - 1u), (__m512)v);
#elif defined(__AVX2__)
  _mm256_maskstore_ps(p, (__m256i)(iota() < broadcast(static_cast<int32_t>(count))), (__m256)v);
#else
  for (int64_t i = 0; i < count; ++i) p[i] = v[i];
#endif
}

/// Stores past the caches where the machine can; p aligned to the vector. End a run of these with `stream_fence`.
STATESPACE_INLINE void stream(float* p, Floats v) {
#if defined(__AVX512F__)
  _mm512_stream_ps(p, (__m512)v);
#elif defined(__AVX2__)
  _mm256_stream_ps(p, (__m256)v);
#elif defined(__SSE2__)
  _mm_stream_ps(p, (__m128)v);
#else
  store(p, v);
#endif
}

STATESPACE_INLINE void stream_fence() {
#if defined(__x86_64__)
  _mm_sfence();
#endif
}

STATESPACE_INLINE void prefetch(const void* p) { __builtin_prefetch(p, 0, 3); }
/// Into the second level only, for more lines than the first has room for.
STATESPACE_INLINE void prefetch_l2(const void* p) { __builtin_prefetch(p, 0, 2); }

/// a * b + c, contracted to one instruction where there is one.
STATESPACE_INLINE Floats fma(Floats a, Floats b, Floats c) { return a * b + c; }

/// Lane-wise mask ? a : b; mask lanes are all ones or all zeros, as comparisons make them.
STATESPACE_INLINE Floats select(Ints mask, Floats a, Floats b) { return mask ? a : b; }
STATESPACE_INLINE Ints select(Ints mask, Ints a, Ints b) { return mask ? a : b; }

/// a < b ? a : b, lane by lane: the second operand where either is NaN.
STATESPACE_INLINE Floats min(Floats a, Floats b) {
#if defined(__AVX512F__)
  return (Floats)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
  return (Floats)_mm256_min_ps((__m256)a, (__m256)b);
#elif defined(__SSE2__)
  return (Floats)_mm_min_ps((__m128)a, (__m128)b);
#else
  return a < b ? a : b;
#endif
}

/// a > b ? a : b, lane by lane: the second operand where either is NaN.
STATESPACE_INLINE Floats max(Floats a, Floats b) {
#if defined(__AVX512F__)
  return (Floats)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
  return (Floats)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__SSE2__)
  return (Floats)_mm_max_ps((__m128)a, (__m128)b);
#else
  return a > b ? a : b;
#endif
}

STATESPACE_INLINE Floats sqrt(Floats v) {
#if defined(__AVX512F__)
  return (Floats)_mm512_sqrt_ps((__m512)v);
#elif defined(__AVX2__)
  return (Floats)_mm256_sqrt_ps((__m256)v);
#elif defined(__SSE2__)
  return (Floats)_mm_sqrt_ps((__m128)v);
#else
  Floats r;
  for (int i = 0; i < kLanes; ++i) r[i] = __builtin_sqrtf(v[i]);
  return r;
#endif
}

/// Lane j of the result: lane which[j] of a and b laid end to end, 0 <= which[j] < 2 kLanes.
STATESPACE_INLINE Floats shuffle(Floats a, Floats b, Ints which) {
#if defined(__clang__)
  // Clang's builtin takes literal numbers only; these loops become the same instruction where `which` is constant.
  Floats r = {};
  for (int j = 0; j < kLanes; ++j) r[j] = which[j] < kLanes ? a[which[j] & (kLanes - 1)] : b[which[j] & (kLanes - 1)];
  return r;
#else
  return __builtin_shuffle(a, b, which);
#endif
}

STATESPACE_INLINE Ints bits_of(Floats v) { return (Ints)v; }
STATESPACE_INLINE Floats from_bits(Ints v) { return (Floats)v; }
STATESPACE_INLINE Floats abs(Floats v) { return (Floats)((Ints)v & 0x7fffffff); }
STATESPACE_INLINE Floats to_floats(Ints v) { return __builtin_convertvector(v, Floats); }
/// Truncates; the lanes must lie in the int32 range.
STATESPACE_INLINE Ints to_ints(Floats v) { return __builtin_convertvector(v, Ints); }
STATESPACE_INLINE Doubles to_doubles(Floats v) { return __builtin_convertvector(v, Doubles); }

/// Sum of the lanes, as a tree of halves.
STATESPACE_INLINE float reduce_add(Floats v) {
#if defined(__AVX512F__)
  return _mm512_reduce_add_ps((__m512)v);
#else
  float lanes[kLanes];
  store(lanes, v);
  for (int half = kLanes / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
#endif
}

STATESPACE_INLINE double reduce_add(const Doubles& v) {
  double lanes[kLanes];
  for (int i = 0; i < kLanes; ++i) lanes[i] = v[i];
  for (int half = kLanes / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

/// Largest lane; unspecified when a lane is NaN.
STATESPACE_INLINE float reduce_max(Floats v) {
#if defined(__AVX512F__)
  return _mm512_reduce_max_ps((__m512)v);
#else
  float lanes[kLanes];
  store(lanes, v);
  for (int half = kLanes / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) lanes[i] = lanes[i + half] > lanes[i] ? lanes[i + half] : lanes[i];
  }
  return lanes[0];
#endif
}

/// Whether any lane of a comparison holds.
STATESPACE_INLINE bool any(Ints mask) {
#if defined(__AVX512F__)
  return _mm512_test_epi32_mask((__m512i)mask, (__m512i)mask) != 0;
#elif defined(__AVX2__)
  return _mm256_movemask_epi8((__m256i)mask) != 0;
#elif defined(__SSE2__)
  return _mm_movemask_epi8((__m128i)mask) != 0;
#else
  int32_t seen = 0;
  for (int i = 0; i < kLanes; ++i) seen |= mask[i];
  return seen != 0;
#endif
}

/// v * 2^n for the integral values in n, -300 < n < 300, with gradual underflow and overflow to infinity.
STATESPACE_INLINE Floats scale_by_power(Floats v, Floats n) {
#if defined(__AVX512F__)
  return (Floats)_mm512_scalef_ps((__m512)v, (__m512)n);
#else
  // 2^n itself may not be representable: multiply by two halves of it.
  const Ints exponent = to_ints(n);
  const Ints low = exponent >> 1;
  const Ints high = exponent - low;
  return v * from_bits((low + 127) << 23) * from_bits((high + 127) << 23);
#endif
}

template <typename T>
STATESPACE_INLINE T smaller(T a, T b) {
  return b < a ? b : a;
}

template <typename T>
STATESPACE_INLINE T larger(T a, T b) {
  return a < b ? b : a;
}

/// ceil(a / b) for a >= 0, b > 0.
STATESPACE_INLINE int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// The multiple of b that is not below a.
STATESPACE_INLINE int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }

}  // namespace statespace::STATESPACE_ISA_NS
