/// Conversions between storage formats, one element at a time.
#pragma once

#include "simd.h"
#include "statespace/elementwise.h"

namespace statespace::STATESPACE_ISA_NS {

/// bfloat16 and IEEE binary16 as stored.
struct Bf16 {
  uint16_t bits;
};
struct F16 {
  uint16_t bits;
};

STATESPACE_INLINE uint32_t float_bits(float x) { return __builtin_bit_cast(uint32_t, x); }
STATESPACE_INLINE float bits_float(uint32_t bits) { return __builtin_bit_cast(float, bits); }

STATESPACE_INLINE double to_double(float x) { return x; }
STATESPACE_INLINE double to_double(double x) { return x; }
STATESPACE_INLINE double to_double(int32_t x) { return x; }
STATESPACE_INLINE double to_double(uint8_t x) { return x; }
STATESPACE_INLINE double to_double(Bf16 x) { return bits_float(static_cast<uint32_t>(x.bits) << 16); }

STATESPACE_INLINE double to_double(F16 x) {
  const uint32_t sign = static_cast<uint32_t>(x.bits & 0x8000u) << 16;
  const uint32_t rest = x.bits & 0x7fffu;
  // The bits of a half, moved to a float's place, are the value times 2^-112; infinity and NaN need more.
  const float scaled = bits_float(rest << 13) * 0x1p112f;
  const uint32_t bits = rest >= 0x7c00u ? 0x7f800000u | (rest << 13) : float_bits(scaled);
  return bits_float(sign | bits);
}

STATESPACE_INLINE void from_double(double x, float& out) { out = static_cast<float>(x); }
STATESPACE_INLINE void from_double(double x, double& out) { out = x; }

STATESPACE_INLINE void from_double(double x, int32_t& out) {
  if (!(x == x)) {
    out = 0;
  } else {
    out = x <= -2147483648.0 ? INT32_MIN : x >= 2147483647.0 ? INT32_MAX : static_cast<int32_t>(x);
  }
}

STATESPACE_INLINE void from_double(double x, uint8_t& out) {
  out = !(x > 0) ? 0 : x >= 255 ? 255 : static_cast<uint8_t>(x);
}

/// Rounds a double to `kBits` fraction bits and least exponent `kMinExponent`, ties to even, in one step: adding and
/// taking away a power of two leaves only the digits that fit.
template <int kBits, int kMinExponent>
STATESPACE_INLINE double round_to_format(double x) {
  uint64_t bits = __builtin_bit_cast(uint64_t, x);
  int64_t exponent = static_cast<int64_t>((bits >> 52) & 0x7ffu) - 1023;
  if (exponent == 1024) return x;
  if (exponent < kMinExponent) exponent = kMinExponent;
  const double step = __builtin_bit_cast(double, static_cast<uint64_t>(exponent + (52 - kBits) + 1023) << 52);
  const double magic = 1.5 * step;
  return x < 0 ? -((-x + magic) - magic) : (x + magic) - magic;
}

STATESPACE_INLINE void from_double(double x, Bf16& out) {
  if (!(x == x)) {
    out.bits = static_cast<uint16_t>(((__builtin_bit_cast(uint64_t, x) >> 48) & 0x8000u) | 0x7fc0u);
    return;
  }
  const float rounded = static_cast<float>(round_to_format<7, -126>(x));  // exact, or overflow to infinity
  out.bits = static_cast<uint16_t>(float_bits(x == 0 ? static_cast<float>(x) : rounded) >> 16);
}

STATESPACE_INLINE void from_double(double x, F16& out) {
  const uint32_t sign = static_cast<uint32_t>(__builtin_bit_cast(uint64_t, x) >> 48) & 0x8000u;
  const double size = x < 0 ? -x : x;
  if (!(x == x)) {
    out.bits = static_cast<uint16_t>(sign | 0x7e00u);
    return;
  }
  const double rounded = round_to_format<10, -14>(size);
  if (rounded >= 65536.0) {
    out.bits = static_cast<uint16_t>(sign | 0x7c00u);
    return;
  }
  // An exact half times 2^-112 has a float's bit pattern whose fraction ends where a half's does.
  const uint32_t bits = float_bits(static_cast<float>(rounded) * 0x1p-112f) >> 13;
  out.bits = static_cast<uint16_t>(sign | (size == 0 ? 0u : bits));
}

/// Calls with_type(T{}) for the C++ type that stores `dtype`; false for an unknown one.
template <typename WithType>
static inline bool dispatch_dtype(DType dtype, const WithType& with_type) noexcept {
  switch (dtype) {
    case DType::kF32:
      with_type(float{});
      return true;
    case DType::kF64:
      with_type(double{});
      return true;
    case DType::kF16:
      with_type(F16{});
      return true;
    case DType::kBf16:
      with_type(Bf16{});
      return true;
    case DType::kI32:
      with_type(int32_t{});
      return true;
    case DType::kU8:
      with_type(uint8_t{});
      return true;
  }
  return false;
}

}  // namespace statespace::STATESPACE_ISA_NS
