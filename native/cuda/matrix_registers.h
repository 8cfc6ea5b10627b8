/// The small matrices that a warp multiplies on tensor cores (tensor_core.h), as its lanes hold them.
#pragma once

#include <cstdint>

namespace statespace::cuda {

enum class MatrixFormat { kBf16, kF16, kTf32 };

/// Entries of one register.
template <MatrixFormat kFormat>
inline constexpr int kPerRegister = kFormat == MatrixFormat::kTf32 ? 1 : 2;

/// Columns of a, rows of b.
template <MatrixFormat kFormat>
inline constexpr int kMatrixDepth = 8 * kPerRegister<kFormat>;

inline constexpr int kMatrixRows = 16;
inline constexpr int kMatrixCols = 8;

/// What one lane holds of a, of b and of the sum.
struct MatrixA {
  uint32_t registers[4];
};
struct MatrixB {
  uint32_t registers[2];
};
struct MatrixSum {
  float values[4];
};

}  // namespace statespace::cuda

#if !defined(__CUDACC__)
namespace statespace::emulation {

/// sum += a b of a warp whose lanes all call.
void multiply_add(cuda::MatrixFormat format, cuda::MatrixSum& sum, const cuda::MatrixA& a,
                  const cuda::MatrixB& b) noexcept;

}  // namespace statespace::emulation
#endif
