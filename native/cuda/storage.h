/// Entries of tensors in the formats that kernels read and write; arithmetic is float.
#pragma once

#include <initializer_list>

#include "device.h"
#include "statespace/sequence_view.h"

namespace statespace::cuda {

/// The format of all sequence tensors of a call; kMixed where they differ, and each entry asks its own tensor.
enum class Format { kF32, kF16, kBf16, kMixed };

__device__ __forceinline__ float float_of_bits(uint32_t bits) {
#if defined(__CUDA_ARCH__)
  return __uint_as_float(bits);
#else
  return __builtin_bit_cast(float, bits);
#endif
}

__device__ __forceinline__ uint32_t bits_of_float(float x) {
#if defined(__CUDA_ARCH__)
  return __float_as_uint(x);
#else
  return __builtin_bit_cast(uint32_t, x);
#endif
}

__device__ __forceinline__ float float_of_f16(uint16_t bits) {
#if defined(__CUDA_ARCH__)
  float x;
  asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits));
  return x;
#elif defined(__CUDACC__)
  return 0.0f;  // never called on the host
#else
  return static_cast<float>(__builtin_bit_cast(_Float16, bits));
#endif
}

__device__ __forceinline__ uint16_t f16_of_float(float x) {
#if defined(__CUDA_ARCH__)
  uint16_t bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
#elif defined(__CUDACC__)
  return 0;  // never called on the host
#else
  return __builtin_bit_cast(uint16_t, static_cast<_Float16>(x));
#endif
}

__device__ __forceinline__ float float_of_bf16(uint16_t bits) {
  return float_of_bits(static_cast<uint32_t>(bits) << 16);
}

/// To the nearest, ties to even.
__device__ __forceinline__ uint16_t bf16_of_float(float x) {
  const uint32_t bits = bits_of_float(x);
  if (x != x) return static_cast<uint16_t>((bits >> 16 & 0x8000u) | 0x7fc0u);
  return static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

template <Format kFormat>
__device__ __forceinline__ float load_entry(const SequenceView& view, int64_t offset) {
  const auto* narrow = static_cast<const uint16_t*>(view.data) + offset;
  if (kFormat == Format::kBf16 || (kFormat == Format::kMixed && view.dtype == DType::kBf16)) {
    return float_of_bf16(*narrow);
  }
  if (kFormat == Format::kF16 || (kFormat == Format::kMixed && view.dtype == DType::kF16)) {
    return float_of_f16(*narrow);
  }
  return static_cast<const float*>(view.data)[offset];
}

template <Format kFormat>
__device__ __forceinline__ void store_entry(const SequenceTarget& target, int64_t offset, float value) {
  auto* narrow = static_cast<uint16_t*>(target.data) + offset;
  if (kFormat == Format::kBf16 || (kFormat == Format::kMixed && target.dtype == DType::kBf16)) {
    *narrow = bf16_of_float(value);
  } else if (kFormat == Format::kF16 || (kFormat == Format::kMixed && target.dtype == DType::kF16)) {
    *narrow = f16_of_float(value);
  } else {
    static_cast<float*>(target.data)[offset] = value;
  }
}

/// Where the rows of one sequence lie in a tensor: entry (step, o, i) at first + step * len + o * outer + i * inner.
template <typename Tensor>
__device__ __forceinline__ int64_t row_offset(const Tensor& tensor, int64_t batch, int64_t step) {
  return batch * tensor.batch_stride + step * tensor.len_stride;
}

/// Puts the real stride in the place of kPackedOuter.
template <typename Tensor>
Tensor with_outer_stride(Tensor tensor, int64_t inner) {
  if (tensor.outer_stride == kPackedOuter) tensor.outer_stride = inner * tensor.inner_stride;
  return tensor;
}

/// Collects the formats of a call's tensors.
class FormatOf {
 public:
  template <typename... Tensors>
  explicit FormatOf(const Tensors&... tensors) {
    (add(tensors.data, tensors.dtype), ...);
  }
  /// False when a tensor has a format that sequence kernels do not take.
  bool known() const { return known_; }
  Format common() const { return common_; }

 private:
  void add(const void* data, DType dtype) {
    if (data == nullptr) return;
    known_ &= dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBf16;
    const Format format = dtype == DType::kF16    ? Format::kF16
                          : dtype == DType::kBf16 ? Format::kBf16
                                                  : Format::kF32;
    common_ = !any_ || common_ == format ? format : Format::kMixed;
    any_ = true;
  }
  bool any_ = false;
  bool known_ = true;
  Format common_ = Format::kF32;
};

/// Calls with_format(std::integral_constant<Format, ...>{}) for the format's value.
template <typename WithFormat>
Status dispatch_format(Format format, const WithFormat& with_format) {
  switch (format) {
    case Format::kF32:
      return with_format(std::integral_constant<Format, Format::kF32>{});
    case Format::kF16:
      return with_format(std::integral_constant<Format, Format::kF16>{});
    case Format::kBf16:
      return with_format(std::integral_constant<Format, Format::kBf16>{});
    case Format::kMixed:
      return with_format(std::integral_constant<Format, Format::kMixed>{});
  }
  return Status::kBadArgument;
}

}  // namespace statespace::cuda
