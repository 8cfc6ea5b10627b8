/// Strided copies with conversion, and fills. Oracle: packages/ssd-core/src/ops/elementwise.
///
/// A copy between equal formats moves bits. Where the innermost axis changes between the two sides, square tiles go through
/// shared memory, so that both sides move whole lines.
#include "dense_checks.h"
#include "elementwise_map.h"
#include "kernels.h"
#include "number_format.h"

namespace statespace::cuda {
namespace {

constexpr int kTile = 32;
constexpr int kTileRows = kMapThreads / kTile;

template <typename To, typename From>
__device__ __forceinline__ To converted(From x) {
  if constexpr (std::is_same_v<From, To>) {
    return x;
  } else {
    To out;
    narrow(widened(x), out);
    return out;
  }
}

template <typename From, typename To>
__global__ void __launch_bounds__(kMapThreads)
    strided_copy_kernel(const Walk<2> walk, const From* x, To* out) {
  const int64_t all = gridDim.x * int64_t{kMapThreads};
  for (int64_t i = blockIdx.x * int64_t{kMapThreads} + threadIdx.x; i < walk.count; i += all) {
    const auto offsets = offsets_at(walk, i);
    out[offsets.at[1]] = converted<To>(x[offsets.at[0]]);
  }
}

template <typename From, typename To>
__global__ void __launch_bounds__(kMapThreads)
    packed_copy_kernel(const int64_t count, const From* x, To* out, const bool aligned) {
  const int64_t all = gridDim.x * int64_t{4 * kMapThreads};
  for (int64_t at = 4 * (blockIdx.x * int64_t{kMapThreads} + threadIdx.x); at < count; at += all) {
    if (!aligned || count - at < 4) {
      for (int64_t i = at; i < at + 4 && i < count; ++i) out[i] = converted<To>(x[i]);
      continue;
    }
    const auto in = *reinterpret_cast<const Pack<From>*>(x + at);
    Pack<To> moved;
#pragma unroll
    for (int k = 0; k < 4; ++k) moved.value[k] = converted<To>(in.value[k]);
    *reinterpret_cast<Pack<To>*>(out + at) = moved;
  }
}

template <typename Word>
struct Tile {
  // One more, so that the entries of a column lie in different banks.
  Word value[kTile][kTile + 1];
};

/// The two innermost axes, rows and columns, of all matrices that `outer` names. Columns are neighbours in one side and
/// rows in the other.
template <typename Word>
__global__ void __launch_bounds__(kMapThreads)
    transposed_copy_kernel(const Walk<2> outer, const Walk<2> matrix, const Word* x, Word* out) {
  auto& tile = shared_memory<Tile<Word>>();
  const int64_t rows = matrix.size[0], cols = matrix.size[1];
  const int64_t row_tiles = ceil_divide<int64_t>(rows, kTile), col_tiles = ceil_divide<int64_t>(cols, kTile);
  const bool reads_columns = matrix.step[1][0] == 1;
  const auto lane = static_cast<int>(threadIdx.x) % kTile, line = static_cast<int>(threadIdx.x) / kTile;
  for (int64_t item = blockIdx.x; item < outer.count * row_tiles * col_tiles; item += gridDim.x) {
    const auto offsets = offsets_at(outer, item / (row_tiles * col_tiles));
    const int64_t row0 = item / col_tiles % row_tiles * kTile, col0 = item % col_tiles * kTile;
    const auto each = [&](bool along_columns, const auto& move) {
      for (int k = line; k < kTile; k += kTileRows) {
        const int r = along_columns ? k : lane, c = along_columns ? lane : k;
        if (row0 + r < rows && col0 + c < cols) move(r, c);
      }
    };
    __syncthreads();
    each(reads_columns, [&](int r, int c) {
      tile.value[r][c] = x[offsets.at[0] + (row0 + r) * matrix.step[0][0] + (col0 + c) * matrix.step[1][0]];
    });
    __syncthreads();
    each(!reads_columns, [&](int r, int c) {
      out[offsets.at[1] + (row0 + r) * matrix.step[0][1] + (col0 + c) * matrix.step[1][1]] = tile.value[r][c];
    });
  }
}

template <typename T>
__global__ void __launch_bounds__(kMapThreads) fill_kernel(const Walk<1> walk, const double value, T* out) {
  T stored;
  narrow(value, stored);
  const int64_t all = gridDim.x * int64_t{kMapThreads};
  for (int64_t i = blockIdx.x * int64_t{kMapThreads} + threadIdx.x; i < walk.count; i += all) {
    out[offsets_at(walk, i).at[0]] = stored;
  }
}

/// Whether the innermost axis of one side is the second of the other.
bool crosses(const Walk<2>& walk) {
  if (walk.rank < 2) return false;
  const auto& row = walk.step[walk.rank - 2];
  const auto& column = walk.step[walk.rank - 1];
  return (column[0] == 1 && row[1] == 1 && column[1] != 1) || (column[1] == 1 && row[0] == 1 && column[0] != 1);
}

template <typename From, typename To>
Status copy_each(const Walk<2>& walk, const void* x, void* out) {
  const auto* from = static_cast<const From*>(x);
  auto* to = static_cast<To*>(out);
  if (is_packed(walk)) {
    const GridShape grid = {blocks_for(ceil_divide<int64_t>(walk.count, 4 * kMapThreads)), kMapThreads, 0};
    return launch(packed_copy_kernel<From, To>, grid, walk.count, from, to, aligned_for_packs(from, to));
  }
  const GridShape grid = {blocks_for(ceil_divide<int64_t>(walk.count, kMapThreads)), kMapThreads, 0};
  return launch(strided_copy_kernel<From, To>, grid, walk, from, to);
}

template <typename Word>
Status copy_transposed(const Walk<2>& walk, const void* x, void* out) {
  Walk<2> outer = walk, matrix;
  outer.rank -= 2;
  matrix.rank = 2;
  for (int axis = 0; axis < 2; ++axis) {
    matrix.size[axis] = walk.size[outer.rank + axis];
    for (int side = 0; side < 2; ++side) matrix.step[axis][side] = walk.step[outer.rank + axis][side];
  }
  matrix.count = matrix.size[0] * matrix.size[1];
  outer.count /= matrix.count;
  const int64_t tiles = ceil_divide<int64_t>(matrix.size[0], kTile) * ceil_divide<int64_t>(matrix.size[1], kTile);
  const GridShape grid = {blocks_for(outer.count * tiles), kMapThreads, static_cast<int64_t>(sizeof(Tile<Word>))};
  return launch(transposed_copy_kernel<Word>, grid, outer, matrix, static_cast<const Word*>(x),
                static_cast<Word*>(out));
}

/// Between equal formats, whose entries are the words of this size.
template <typename Word>
Status copy_words(const Walk<2>& walk, const void* x, void* out) {
  return crosses(walk) ? copy_transposed<Word>(walk, x, out) : copy_each<Word, Word>(walk, x, out);
}

Status copy_same(DType dtype, const Walk<2>& walk, const void* x, void* out) {
  switch (dtype) {
    case DType::kU8:
      return copy_words<uint8_t>(walk, x, out);
    case DType::kF16:
    case DType::kBf16:
      return copy_words<uint16_t>(walk, x, out);
    case DType::kF32:
    case DType::kI32:
      return copy_words<uint32_t>(walk, x, out);
    case DType::kF64:
      return copy_words<uint64_t>(walk, x, out);
  }
  return Status::kBadArgument;
}

}  // namespace

Status copy(const CopyArgs& args) noexcept {
  const Status checked = check_copy(args);
  if (checked != Status::kOk || element_count(args.shape) == 0) return checked;
  const Walk<2> walk = collapse<2>(args.shape, {&args.x_strides, &args.out_strides});
  if (args.x_dtype == args.out_dtype) return copy_same(args.x_dtype, walk, args.x, args.out);
  return dispatch_dtype(args.x_dtype, [&](auto from) {
    return dispatch_dtype(args.out_dtype, [&](auto to) {
      using From = decltype(from);
      using To = decltype(to);
      if constexpr (std::is_same_v<From, To>) {
        return Status::kBadArgument;  // formats are unlike here
      } else {
        return copy_each<From, To>(walk, args.x, args.out);
      }
    });
  });
}

Status fill(const FillArgs& args) noexcept {
  const Status checked = check_fill(args);
  if (checked != Status::kOk || element_count(args.shape) == 0) return checked;
  const Walk<1> walk = collapse<1>(args.shape, {&args.out_strides});
  const GridShape grid = {blocks_for(ceil_divide<int64_t>(walk.count, kMapThreads)), kMapThreads, 0};
  return dispatch_dtype(args.dtype, [&](auto type) {
    using T = decltype(type);
    return launch(fill_kernel<T>, grid, walk, args.value, static_cast<T*>(args.out));
  });
}

}  // namespace statespace::cuda
