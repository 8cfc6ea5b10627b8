/// A tile of a matrix product, in float32, by one thread block.
///
/// The depth is walked in slices. While the block multiplies a slice in shared memory, the next is on its way from
/// global memory to registers; it goes to the other half of shared memory: one barrier a slice is enough. A
/// thread holds kOwnRows x kOwnCols sums, in groups of four rows and columns: it reads shared memory 16 bytes at a
/// time. Each sum has one order: that of the depth.
#pragma once

#include "device.h"

namespace statespace::cuda {

/// A factor of `batch` products: entry (index, depth) lies at index * index_step + depth * depth_step. The index is a
/// row of a, or a column of b; one of the steps is 1.
struct GemmFactor {
  const float* data = nullptr;
  int64_t size = 0;
  int64_t index_step = 0;
  int64_t depth_step = 0;
  int64_t batch_stride = 0;
};

/// Rows of a slice in shared memory are kPadding floats longer than they must be: with 4, writes along the depth meet
/// other banks; with 8, reads of tensor core fragments do.
template <int kRowsOfTile, int kColsOfTile, int kRowsOfThread, int kColsOfThread, int kDepthOfSlice,
          int kPaddingOfRow = 4>
struct TileShape {
  static constexpr int kRows = kRowsOfTile, kCols = kColsOfTile, kDepth = kDepthOfSlice;
  static constexpr int kOwnRows = kRowsOfThread, kOwnCols = kColsOfThread;
  static constexpr int kThreadRows = kRows / kOwnRows, kThreadCols = kCols / kOwnCols;
  static constexpr int kThreads = kThreadRows * kThreadCols, kPadding = kPaddingOfRow;
  // Warps are 4 x 8 threads: the shape that reads least of both factors.
  static_assert(kThreadRows % 4 == 0 && kThreadCols % 8 == 0 && kOwnRows % 4 == 0 && kOwnCols % 4 == 0);
};

template <typename Shape>
struct TileMemory {
  struct alignas(16) Slice {
    float a[Shape::kDepth][Shape::kRows + Shape::kPadding];
    float b[Shape::kDepth][Shape::kCols + Shape::kPadding];
  } slices[2];
};

struct alignas(16) FourFloats {
  float values[4];
};

/// A thread's share of the slices of one factor. Neighbouring threads take neighbours in memory: along the depth where
/// depth_step is 1.
template <int kSize, int kDepth, int kThreads, bool kAlongDepth>
class SliceLoader {
 public:
  /// Slices of indices `first` and up that begin at `depth`.
  __device__ __forceinline__ SliceLoader(const GemmFactor& factor, int64_t member, int64_t first, int64_t depth) {
    const auto thread = static_cast<int>(threadIdx.x);
    index_ = kAlongDepth ? thread / kDepth : thread % kSize;
    depth_ = kAlongDepth ? thread % kDepth : thread / kSize;
    const int64_t left = factor.size - first;
    indices_ = left < kSize ? static_cast<int>(left) : kSize;
    from_ = factor.data + member * factor.batch_stride + (first + index_) * factor.index_step +
            (depth + depth_) * factor.depth_step;
    between_ = kAlongDepth ? kIndexBetween * factor.index_step : kDepthBetween * factor.depth_step;
  }

  /// Brings the next slice, of which `depths` remain, to registers; 0 outside the matrix.
  __device__ __forceinline__ void load(int64_t depths) {
#pragma unroll
    for (int i = 0; i < kOwn; ++i) {
      const bool inside = index_ + i * kIndexBetween < indices_ && depth_ + i * kDepthBetween < depths;
      values_[i] = inside ? from_[i * between_] : 0.0f;
    }
    from_ += kAlongDepth ? kDepth : kOwn * between_;
  }

  template <int kPitch>
  __device__ __forceinline__ void store(float (&slice)[kDepth][kPitch]) const {
#pragma unroll
    for (int i = 0; i < kOwn; ++i) slice[depth_ + i * kDepthBetween][index_ + i * kIndexBetween] = values_[i];
  }

 private:
  static constexpr int kOwn = kSize * kDepth / kThreads;
  static constexpr int kIndexBetween = kAlongDepth ? kThreads / kDepth : 0;
  static constexpr int kDepthBetween = kAlongDepth ? 0 : kThreads / kSize;
  static_assert(kOwn * kThreads == kSize * kDepth && kThreads % kSize == 0 && kThreads % kDepth == 0);

  const float* from_;
  int64_t between_;
  int index_, depth_, indices_;
  float values_[kOwn];
};

/// The sums of one thread.
template <typename Shape>
class TileSums {
 public:
  __device__ __forceinline__ TileSums() {
    const auto thread = static_cast<int>(threadIdx.x);
    constexpr int kWarpsAcross = Shape::kThreadCols / 8;
    const int warp = thread / kWarpSize, lane = thread % kWarpSize;
    row_ = (warp / kWarpsAcross * 4 + lane / 8) * 4;
    col_ = (warp % kWarpsAcross * 8 + lane % 8) * 4;
  }

  __device__ __forceinline__ void add(const typename TileMemory<Shape>::Slice& slice) {
#pragma unroll
    for (int depth = 0; depth < Shape::kDepth; ++depth) {
      FourFloats a[Shape::kOwnRows / 4], b[Shape::kOwnCols / 4];
#pragma unroll
      for (int i = 0; i < Shape::kOwnRows / 4; ++i) {
        a[i] = *reinterpret_cast<const FourFloats*>(&slice.a[depth][row_ + i * 4 * Shape::kThreadRows]);
      }
#pragma unroll
      for (int j = 0; j < Shape::kOwnCols / 4; ++j) {
        b[j] = *reinterpret_cast<const FourFloats*>(&slice.b[depth][col_ + j * 4 * Shape::kThreadCols]);
      }
#pragma unroll
      for (int i = 0; i < Shape::kOwnRows; ++i) {
#pragma unroll
        for (int j = 0; j < Shape::kOwnCols; ++j) sums_[i][j] += a[i / 4].values[i % 4] * b[j / 4].values[j % 4];
      }
    }
  }

  /// Calls visit(row, col, sum), counted from the tile's corner.
  template <typename Visit>
  __device__ __forceinline__ void visit(const Visit& visit) const {
#pragma unroll
    for (int i = 0; i < Shape::kOwnRows; ++i) {
#pragma unroll
      for (int j = 0; j < Shape::kOwnCols; ++j) {
        visit(row_ + i / 4 * 4 * Shape::kThreadRows + i % 4, col_ + j / 4 * 4 * Shape::kThreadCols + j % 4,
              sums_[i][j]);
      }
    }
  }

 private:
  int row_, col_;
  float sums_[Shape::kOwnRows][Shape::kOwnCols] = {};
};

/// Rows `row` and up of a times columns `col` and up of b, over the depths of [begin, end).
template <typename Shape, typename Sums, bool kAlongA, bool kAlongB>
__device__ __forceinline__ Sums multiply_tile(const GemmFactor& a, const GemmFactor& b, int64_t member, int64_t row,
                                              int64_t col, int64_t begin, int64_t end, TileMemory<Shape>& memory) {
  Sums sums;
  if (begin >= end) return sums;
  SliceLoader<Shape::kRows, Shape::kDepth, Shape::kThreads, kAlongA> of_a(a, member, row, begin);
  SliceLoader<Shape::kCols, Shape::kDepth, Shape::kThreads, kAlongB> of_b(b, member, col, begin);
  const auto load = [&](int64_t depths) {
    of_a.load(depths);
    of_b.load(depths);
  };
  const auto store = [&](typename TileMemory<Shape>::Slice& slice) {
    of_a.store(slice.a);
    of_b.store(slice.b);
  };
  int64_t left = end - begin;
  load(left);
  store(memory.slices[0]);
  __syncthreads();
  for (int half = 0; left > 0; half ^= 1) {
    left -= Shape::kDepth;
    if (left > 0) load(left);
    sums.add(memory.slices[half]);
    if (left > 0) store(memory.slices[half ^ 1]);
    __syncthreads();
  }
  return sums;
}

}  // namespace statespace::cuda
