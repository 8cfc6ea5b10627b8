/// Matrix product with fused epilogue, to float32 precision. Oracle: packages/ssd-core/src/ops/gemm.
///
/// By cuBLASLt (gemm_library.h) where that is there; otherwise, and for what it does not take, by the kernels here.
/// Blocks take tiles of out (gemm_tile.h), large ones on tensor cores (gemm_tensor_tile.h). Where there are fewer tiles
/// than a device keeps busy and the depth is long, the depth is cut into parts whose sums are added up in order by a
/// second kernel. Few columns become few rows: out^T = op(b)^T op(a)^T. Every cut follows from the shape, so every sum
/// has one order.
#include "gemm.h"

#include "activations.h"
#include "device_indices.h"
#include "gemm_arguments.h"
#include "gemm_library.h"
#include "gemm_tensor_tile.h"
#include "gemm_tile.h"
#include "kernels.h"
#include "launch.h"

namespace statespace::cuda {
namespace {

/// On tensor cores: its own rows and columns only make the number of threads.
using LargeTile = TileShape<128, 128, 8, 8, 8, 8>;
using SmallTile = TileShape<64, 64, 4, 4, 16>;
/// For few rows: bound by the bytes of b.
using FlatTile = TileShape<16, 128, 4, 4, 8>;

template <typename Shape>
using SumsOf = std::conditional_t<std::is_same_v<Shape, LargeTile>, TensorSums<Shape>, TileSums<Shape>>;

/// Blocks that keep a device of 132 processors busy. Under emulation so few that small products are cut in all ways.
#if defined(__CUDACC__)
constexpr int64_t kBusyBlocks = 264;
#else
constexpr int64_t kBusyBlocks = 16;
#endif
constexpr int64_t kMostParts = 32;
constexpr int64_t kLeastPartDepth = 128;
constexpr int kJoinThreads = 256;

/// Where finished sums go.
struct GemmResult {
  float* out;
  int64_t row_step, col_step, batch_stride;
  const float* bias;
  bool bias_of_rows;
  bool accumulate;
  bool silu;
};

struct Product {
  GemmFactor a, b;
  int64_t batch, depth;
  GemmResult result;
  int64_t parts, part_depth;
  /// (parts, batch, rows, cols); null for one part.
  float* partials;
};

__device__ __forceinline__ void finish(const GemmResult& result, int64_t member, int64_t row, int64_t col, float sum) {
  float& out = result.out[member * result.batch_stride + row * result.row_step + col * result.col_step];
  if (result.accumulate) sum += out;
  if (result.bias != nullptr) sum += result.bias[result.bias_of_rows ? row : col];
  out = result.silu ? silu(sum) : sum;
}

/// kAlongA, kAlongB: whether entries of a and b that follow one another in memory do so along the depth.
template <typename Shape, bool kAlongA, bool kAlongB>
__global__ void __launch_bounds__(Shape::kThreads, 2) gemm_kernel(const Product p, const int32_t* refused) {
  if (is_refused(refused)) return;
  auto& memory = shared_memory<TileMemory<Shape>>();
  const int64_t rows = p.a.size, cols = p.b.size;
  const int64_t row_tiles = ceil_divide<int64_t>(rows, Shape::kRows);
  const int64_t tiles = row_tiles * ceil_divide<int64_t>(cols, Shape::kCols);
  for (int64_t item = blockIdx.x; item < tiles * p.parts * p.batch; item += gridDim.x) {
    // Tiles of one column follow one another: they meet the same columns of b.
    const int64_t row0 = item % row_tiles * Shape::kRows, col0 = item % tiles / row_tiles * Shape::kCols;
    const int64_t part = item / tiles % p.parts, member = item / (tiles * p.parts);
    const int64_t begin = part * p.part_depth;
    const int64_t end = begin + p.part_depth < p.depth ? begin + p.part_depth : p.depth;
    const auto sums =
        multiply_tile<Shape, SumsOf<Shape>, kAlongA, kAlongB>(p.a, p.b, member, row0, col0, begin, end, memory);
    sums.visit([&](int i, int j, float sum) {
      const int64_t row = row0 + i, col = col0 + j;
      if (row >= rows || col >= cols) return;
      if (p.partials != nullptr) {
        p.partials[((part * p.batch + member) * rows + row) * cols + col] = sum;
      } else {
        finish(p.result, member, row, col, sum);
      }
    });
  }
}

/// Adds up the parts, in order.
__global__ void __launch_bounds__(kJoinThreads) gemm_join_kernel(const Product p, const int32_t* refused) {
  if (is_refused(refused)) return;
  const int64_t rows = p.a.size, cols = p.b.size, count = p.batch * rows * cols;
  const int64_t threads = gridDim.x * int64_t{kJoinThreads};
  for (int64_t i = blockIdx.x * int64_t{kJoinThreads} + threadIdx.x; i < count; i += threads) {
    float sum = 0.0f;
    for (int64_t part = 0; part < p.parts; ++part) sum += p.partials[part * count + i];
    finish(p.result, i / (rows * cols), i / cols % rows, i % cols, sum);
  }
}

Product product_of(const GemmArgs& args) {
  Product p = {};
  p.a = {args.a, args.m, args.transpose_a ? 1 : args.a_row_stride, args.transpose_a ? args.a_row_stride : 1,
         args.a_batch_stride};
  p.b = {args.b, args.n, args.transpose_b ? args.b_row_stride : 1, args.transpose_b ? 1 : args.b_row_stride,
         args.b_batch_stride};
  p.batch = args.batch;
  p.depth = args.k;
  p.result = {args.out,  args.out_row_stride, 1, args.out_batch_stride, args.bias, false, args.accumulate,
              args.activation == Activation::kSilu};
  if (args.n <= FlatTile::kRows && args.m > args.n) {
    const GemmFactor rows = p.a;
    p.a = p.b;
    p.b = rows;
    p.result.row_step = 1;
    p.result.col_step = args.out_row_stride;
    p.result.bias_of_rows = true;
  }
  return p;
}

template <typename Shape>
int64_t tiles_of(const Product& p) {
  return p.batch * ceil_divide<int64_t>(p.a.size, Shape::kRows) * ceil_divide<int64_t>(p.b.size, Shape::kCols);
}

template <typename Shape>
Status run(Product p, const int32_t* refused) {
  const int64_t tiles = tiles_of<Shape>(p);
  const int64_t wanted = ceil_divide(kBusyBlocks, tiles), most = p.depth / kLeastPartDepth;
  p.parts = wanted < most ? wanted : most;
  p.parts = p.parts < 1 ? 1 : p.parts > kMostParts ? kMostParts : p.parts;
  // Whole slices.
  p.part_depth = ceil_divide<int64_t>(ceil_divide(p.depth, p.parts), Shape::kDepth) * Shape::kDepth;
  if (p.depth > 0) p.parts = ceil_divide(p.depth, p.part_depth);
  DeviceScratch scratch;
  if (p.parts > 1) {
    p.partials = scratch.take<float>(p.parts * p.batch * p.a.size * p.b.size);
    if (p.partials == nullptr) return scratch.status();
  }
  const bool along_a = p.a.depth_step == 1, along_b = p.b.depth_step == 1;
  const auto kernel = along_a ? (along_b ? gemm_kernel<Shape, true, true> : gemm_kernel<Shape, true, false>)
                              : (along_b ? gemm_kernel<Shape, false, true> : gemm_kernel<Shape, false, false>);
  const GridShape grid = {blocks_for(tiles * p.parts), Shape::kThreads, sizeof(TileMemory<Shape>)};
  const Status status = launch(kernel, grid, p, refused);
  if (status != Status::kOk || p.parts == 1) return status;
  const int64_t entries = p.batch * p.a.size * p.b.size;
  return launch(gemm_join_kernel, {blocks_for(ceil_divide<int64_t>(entries, kJoinThreads)), kJoinThreads}, p, refused);
}

}  // namespace

Status gemm_unless(const int32_t* refused, const GemmArgs& given) noexcept {
  const Status checked = check_gemm(given);
  if (checked != Status::kOk || given.batch == 0 || given.m == 0 || given.n == 0) return checked;
  const GemmArgs args = merge_batch(given);
  const Status by_library = library_gemm(refused, args);
  if (by_library != Status::kUnsupported) return by_library;
  const Product p = product_of(args);
  if (p.a.size <= FlatTile::kRows) return run<FlatTile>(p, refused);
  const bool fills_large = p.a.size > SmallTile::kRows && p.b.size > SmallTile::kCols;
  if (fills_large && 2 * tiles_of<LargeTile>(p) >= kBusyBlocks) return run<LargeTile>(p, refused);
  return run<SmallTile>(p, refused);
}

Status gemm(const GemmArgs& args) noexcept { return gemm_unless(nullptr, args); }

}  // namespace statespace::cuda
