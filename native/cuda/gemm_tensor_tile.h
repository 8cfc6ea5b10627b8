/// Sums of a tile on tensor cores, to float32 precision: a factor is the sum of two tf32 numbers, x = high + low, and
///   a b = low_a high_b + high_a low_b + high_a high_b
/// leaves out what float32 cannot hold beside it. Tensor cores cut sums off instead of rounding them, so each sum of
/// eight products begins at zero there and is added in float32 here. A factor that is infinite gives NaN.
/// Source: Ootomo and Yokota 2022, arXiv:2203.03341.
#pragma once

#include "gemm_tile.h"
#include "tensor_core.h"

namespace statespace::cuda {

/// Eight warps stand 2 x 4 in the tile. The interface is that of TileSums.
template <typename Shape>
class TensorSums {
 public:
  __device__ __forceinline__ TensorSums() {
    const int warp = static_cast<int>(threadIdx.x) / kWarpSize;
    row_ = warp / 4 * (kRowParts * kMatrixRows);
    col_ = warp % 4 * (kColParts * kMatrixCols);
  }

  __device__ __forceinline__ void add(const typename TileMemory<Shape>::Slice& slice) {
#pragma unroll
    for (int depth = 0; depth < Shape::kDepth; depth += kStep) {
      MatrixB high_b[kColParts], low_b[kColParts];
#pragma unroll
      for (int j = 0; j < kColParts; ++j) {
        const MatrixB whole = matrix_b_of_bits<kFormat>(
            [&](int k, int col) { return bits_of_float(slice.b[depth + k][col_ + j * kMatrixCols + col]); });
        split(whole.registers, high_b[j].registers, low_b[j].registers);
      }
#pragma unroll
      for (int i = 0; i < kRowParts; ++i) {
        MatrixA high_a, low_a;
        const MatrixA whole = matrix_a_of_bits<kFormat>(
            [&](int row, int k) { return bits_of_float(slice.a[depth + k][row_ + i * kMatrixRows + row]); });
        split(whole.registers, high_a.registers, low_a.registers);
#pragma unroll
        for (int j = 0; j < kColParts; ++j) {
          MatrixSum step = {};
          multiply_add<kFormat>(step, low_a, high_b[j]);
          multiply_add<kFormat>(step, high_a, low_b[j]);
          multiply_add<kFormat>(step, high_a, high_b[j]);
#pragma unroll
          for (int part = 0; part < 4; ++part) sums_[i][j].values[part] += step.values[part];
        }
      }
    }
  }

  /// Calls visit(row, col, sum), counted from the tile's corner.
  template <typename Visit>
  __device__ __forceinline__ void visit(const Visit& visit) const {
#pragma unroll
    for (int i = 0; i < kRowParts; ++i) {
#pragma unroll
      for (int j = 0; j < kColParts; ++j) {
        visit_sum(sums_[i][j], [&](int row, int col, float sum) {
          visit(row_ + i * kMatrixRows + row, col_ + j * kMatrixCols + col, sum);
        });
      }
    }
  }

 private:
  static constexpr MatrixFormat kFormat = MatrixFormat::kTf32;
  static constexpr int kStep = kMatrixDepth<kFormat>;
  static constexpr int kRowParts = Shape::kRows / (2 * kMatrixRows);
  static constexpr int kColParts = Shape::kCols / (4 * kMatrixCols);
  static_assert(Shape::kThreads == 8 * kWarpSize && Shape::kDepth % kStep == 0);

  /// The lane's floats as sums of two tf32.
  template <int kCount>
  __device__ static __forceinline__ void split(const uint32_t (&whole)[kCount], uint32_t (&high)[kCount],
                                               uint32_t (&low)[kCount]) {
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
      const float x = float_of_bits(whole[i]);
      high[i] = tf32_of_float(x);
      low[i] = tf32_of_float(x - float_of_bits(high[i]));
    }
  }

  int row_, col_;
  MatrixSum sums_[kRowParts][kColParts] = {};
};

}  // namespace statespace::cuda
