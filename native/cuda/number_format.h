/// Conversions between all storage formats, as statespace/elementwise.h states them for CopyArgs.
#pragma once

#include "storage.h"

namespace statespace::cuda {

/// bfloat16 and IEEE binary16 as stored.
struct Bf16 {
  uint16_t bits;
};
struct F16 {
  uint16_t bits;
};

/// To float or double, whichever holds every number of the format.
__device__ __forceinline__ float widened(float x) { return x; }
__device__ __forceinline__ double widened(double x) { return x; }
__device__ __forceinline__ double widened(int32_t x) { return x; }
__device__ __forceinline__ float widened(uint8_t x) { return x; }
__device__ __forceinline__ float widened(Bf16 x) { return float_of_bf16(x.bits); }
__device__ __forceinline__ float widened(F16 x) { return float_of_f16(x.bits); }

/// A double as a float that rounds to a narrower format as the double would: what was cut off shows in the last bit.
__device__ __forceinline__ float rounded_to_odd(double x) {
  const auto nearest = static_cast<float>(x);
  const auto back = static_cast<double>(nearest);
  if (back == x || x != x) return nearest;
  uint32_t bits = bits_of_float(nearest);
  if (fabs(back) > fabs(x)) --bits;
  return float_of_bits(bits | 1u);
}
__device__ __forceinline__ float rounded_to_odd(float x) { return x; }

template <typename Real>
__device__ __forceinline__ void narrow(Real x, float& out) {
  out = static_cast<float>(x);
}
template <typename Real>
__device__ __forceinline__ void narrow(Real x, double& out) {
  out = static_cast<double>(x);
}
template <typename Real>
__device__ __forceinline__ void narrow(Real x, int32_t& out) {
  out = x != x                           ? 0
        : x <= Real{-2147483648.0f} ? INT32_MIN
        : x >= Real{2147483648.0f}  ? INT32_MAX
                                         : static_cast<int32_t>(x);
}
template <typename Real>
__device__ __forceinline__ void narrow(Real x, uint8_t& out) {
  out = !(x > 0) ? uint8_t{0} : x >= 255 ? uint8_t{255} : static_cast<uint8_t>(x);
}
template <typename Real>
__device__ __forceinline__ void narrow(Real x, Bf16& out) {
  out.bits = bf16_of_float(rounded_to_odd(x));
}
template <typename Real>
__device__ __forceinline__ void narrow(Real x, F16& out) {
  const float rounded = rounded_to_odd(x);
  // A device has one NaN of its own; ours is the CPU's.
  out.bits = x != x ? static_cast<uint16_t>((bits_of_float(rounded) >> 16 & 0x8000u) | 0x7e00u) : f16_of_float(rounded);
}

/// Calls with_type(T{}) for the C++ type that stores `dtype`.
template <typename WithType>
Status dispatch_dtype(DType dtype, const WithType& with_type) {
  switch (dtype) {
    case DType::kF32:
      return with_type(float{});
    case DType::kF64:
      return with_type(double{});
    case DType::kF16:
      return with_type(F16{});
    case DType::kBf16:
      return with_type(Bf16{});
    case DType::kI32:
      return with_type(int32_t{});
    case DType::kU8:
      return with_type(uint8_t{});
  }
  return Status::kBadArgument;
}

}  // namespace statespace::cuda
