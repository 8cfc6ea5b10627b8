/// Sums over the rows of a matrix, for gradients of weights that all rows share.
#pragma once

#include "reduce.h"
#include "row_team.h"

namespace statespace::cuda {

inline constexpr int kSumThreads = 256;
inline constexpr int kSumColumns = kWarpSize;
inline constexpr int kSumRows = kSumThreads / kSumColumns;

/// A matrix cut into pieces of rows, so many that a device has work, so few that their sums stay small.
struct ColumnPieces {
  int64_t rows;
  int64_t columns;
  int64_t piece;

  ColumnPieces(int64_t row_count, int64_t column_count) : rows(row_count), columns(column_count), piece(64) {
    constexpr int64_t kManyBlocks = 4096;
    while (pieces() > 1 && pieces() * column_blocks() > kManyBlocks) piece *= 2;
  }
  __host__ __device__ int64_t pieces() const { return ceil_divide(rows, piece); }
  __host__ __device__ int64_t column_blocks() const { return ceil_divide<int64_t>(columns, kSumColumns); }
};

template <int kSums>
struct ColumnShared {
  double value[kSums][kSumRows][kSumColumns];
};

/// What one place of the matrix adds to each sum.
template <int kSums>
struct Addends {
  float value[kSums];
};

/// Where the sums of pieces go: (pieces, columns) each; null ones are not wanted.
template <int kSums>
struct ColumnPartials {
  double* sums[kSums];
};

/// The body of a kernel: partials of addends_of(column)(row), neighbouring threads on neighbouring columns.
template <int kSums, typename AddendsOf>
__device__ __forceinline__ void sum_columns(const ColumnPieces& matrix, const ColumnPartials<kSums>& partials,
                                            const AddendsOf& addends_of) {
  auto& shared = shared_memory<ColumnShared<kSums>>();
  const int lane = lane_index(), line = static_cast<int>(threadIdx.x) / kSumColumns;
  const int64_t items = matrix.pieces() * matrix.column_blocks();
  for (int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    const int64_t piece = item / matrix.column_blocks();
    const int64_t column = item % matrix.column_blocks() * kSumColumns + lane;
    const int64_t begin = piece * matrix.piece, left = matrix.rows - begin;
    const int64_t end = begin + (left < matrix.piece ? left : matrix.piece);
    double sums[kSums] = {};
    if (column < matrix.columns) {
      const auto addends = addends_of(column);
#pragma unroll 2
      for (int64_t row = begin + line; row < end; row += kSumRows) {
        const Addends<kSums> more = addends(row);
#pragma unroll
        for (int s = 0; s < kSums; ++s) sums[s] += static_cast<double>(more.value[s]);
      }
    }
    __syncthreads();
#pragma unroll
    for (int s = 0; s < kSums; ++s) shared.value[s][line][lane] = sums[s];
    __syncthreads();
    if (line >= kSums || column >= matrix.columns) continue;
    double* const out = partials.sums[line];
    if (out == nullptr) continue;
    double sum = 0;
    for (int i = 0; i < kSumRows; ++i) sum += shared.value[line][i][lane];
    out[piece * matrix.columns + column] = sum;
  }
}

/// Runs the kernel that `start(grid, partials)` starts, and joins its partials into `outs`; null ones are not wanted.
template <int kSums, typename Start>
Status column_sums(const ColumnPieces& matrix, float* const (&outs)[kSums], const Start& start) {
  DeviceScratch scratch[kSums];
  ColumnPartials<kSums> partials = {};
  bool wanted = false;
  for (int s = 0; s < kSums; ++s) {
    if (outs[s] == nullptr || matrix.rows == 0) continue;
    partials.sums[s] = scratch[s].template take<double>(matrix.pieces() * matrix.columns);
    if (partials.sums[s] == nullptr) return scratch[s].status();
    wanted = true;
  }
  const GridShape grid = {blocks_for(matrix.pieces() * matrix.column_blocks()), kSumThreads,
                          static_cast<int64_t>(sizeof(ColumnShared<kSums>))};
  Status status = wanted ? start(grid, partials) : Status::kOk;
  for (int s = 0; s < kSums && status == Status::kOk; ++s) {
    if (outs[s] != nullptr) status = sum_partials(partials.sums[s], matrix.pieces(), matrix.columns, outs[s]);
  }
  return status;
}

}  // namespace statespace::cuda
