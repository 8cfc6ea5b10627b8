/// Matrix product with fused epilogue. Oracle: packages/ssd-core/src/ops/gemm.
///
/// out is cut into tiles by its shape; a tile is one chunk of work and belongs to one thread, which packs what it
/// needs of a and b. The depth is cut at multiples of kDepth, whatever the number of threads, so every sum has one
/// order. A worker keeps its packed b from tile to tile as long as the columns stay the same.
#include "gemm_kernel.h"
#include "isa_kernels.h"
#include "parallel.h"
#include "scratch.h"
#include "vector_math.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

/// Packed b of a tile is kept whole up to this many floats (half of a 1 MiB second-level cache), else per pass.
constexpr int64_t kKeptB = 131072;
/// Multiply-adds that make a chunk worth handing to another thread.
constexpr int64_t kChunkWork = int64_t{1} << 17;

struct Tiling {
  int64_t rows;
  int64_t cols;
  int64_t row_tiles;
  int64_t col_tiles;
  /// Columns of depth packed at a time.
  int64_t packed_depth;
  bool pack_a;
};

/// Tiles as large as caches like, but at least about sixteen of them where there is enough work for that.
Tiling choose_tiling(const GemmArgs& args) noexcept {
  Tiling t;
  t.rows = smaller<int64_t>(args.m, kMicroRows * (kMicroRows >= 12 ? 12 : 24));
  t.cols = smaller<int64_t>(args.n, 512);
  const int64_t work = args.batch * args.m * args.n * args.k;
  const int64_t wanted = smaller<int64_t>(16, work / kChunkWork);
  const auto tiles = [&] { return args.batch * ceil_div(args.m, t.rows) * ceil_div(args.n, t.cols); };
  while (tiles() < wanted) {
    // Halve the longer side, in whole micro tiles, as long as there is one.
    if (t.cols > 2 * kMicroCols && t.cols >= t.rows) {
      t.cols = round_up(ceil_div(t.cols, 2), kMicroCols);
    } else if (t.rows > kMicroRows) {
      t.rows = round_up(ceil_div(t.rows, 2), kMicroRows);
    } else if (t.cols > kMicroCols) {
      t.cols = round_up(ceil_div(t.cols, 2), kMicroCols);
    } else {
      break;
    }
  }
  t.row_tiles = ceil_div(args.m, t.rows);
  t.col_tiles = ceil_div(args.n, t.cols);
  t.packed_depth = args.k * round_up(t.cols, kLanes) <= kKeptB ? args.k : smaller(args.k, kDepth);
  // Packing a pays when its elements are used often enough, or when its rows lie so that they evict one another.
  const bool rows_collide = !args.transpose_a && args.a_row_stride % 1024 == 0 && args.k > 64;
  t.pack_a = t.cols > 6 * kMicroCols || rows_collide;
  return t;
}

/// Bias and activation on a finished tile of out.
void finish_tile(const GemmArgs& args, float* out, int64_t rows, int64_t cols, const float* bias) noexcept {
  const bool silu_at_end = args.activation == Activation::kSilu;
  if (bias == nullptr && !silu_at_end) return;
  for (int64_t row = 0; row < rows; ++row, out += args.out_row_stride) {
    for (int64_t col = 0; col < cols; col += kLanes) {
      const int64_t lanes = smaller<int64_t>(kLanes, cols - col);
      Floats v = load_partial(out + col, lanes);
      if (bias != nullptr) v += load_partial(bias + col, lanes);
      store_partial(out + col, silu_at_end ? silu(v) : v, lanes);
    }
  }
}

/// What a worker has packed.
struct Worker {
  float* a;
  float* b;
  int64_t b_tile;
};

/// One tile of one batch member.
void compute_tile(const GemmArgs& args, const Tiling& t, int64_t member, int64_t row0, int64_t col0,
                  Worker& worker) noexcept {
  const int64_t rows = smaller(t.rows, args.m - row0);
  const int64_t cols = smaller(t.cols, args.n - col0);
  const float* a = args.a + member * args.a_batch_stride;
  const float* b = args.b + member * args.b_batch_stride;
  float* out = args.out + member * args.out_batch_stride + row0 * args.out_row_stride + col0;
  const int64_t a_row_step = args.transpose_a ? 1 : args.a_row_stride;
  const int64_t a_depth_step = args.transpose_a ? args.a_row_stride : 1;
  a += row0 * a_row_step;

  const bool keep_b = t.packed_depth == args.k;
  const int64_t b_tile = (args.b_batch_stride == 0 ? 0 : member) * t.col_tiles + col0 / t.cols;
  const int64_t b_row_step = args.transpose_b ? 1 : args.b_row_stride;
  const int64_t b_col_step = args.transpose_b ? args.b_row_stride : 1;
  b += col0 * b_col_step;
  for (int64_t depth0 = 0; depth0 < args.k; depth0 += kDepth) {
    const int64_t depth = smaller(kDepth, args.k - depth0);
    float* packed_b = worker.b + (keep_b ? packed_b_size(depth0, cols) : 0);
    if (!keep_b || worker.b_tile != b_tile) {
      pack_b(b + depth0 * b_row_step, args.b_row_stride, args.transpose_b, depth, cols, packed_b);
    }
    const bool add = args.accumulate || depth0 > 0;
    const float* a_here = a + depth0 * a_depth_step;
    if (t.pack_a) {
      pack_a(a_here, args.a_row_stride, args.transpose_a, rows, depth, worker.a);
      packed_product(rows, cols, depth, worker.a, packed_b, out, args.out_row_stride, add);
    } else {
      block_product(rows, cols, depth, a_here, a_row_step, a_depth_step, packed_b, out, args.out_row_stride, add);
    }
  }
  worker.b_tile = keep_b ? b_tile : -1;
  if (args.k == 0 && !args.accumulate) {
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t col = 0; col < cols; ++col) out[row * args.out_row_stride + col] = 0;
    }
  }
  finish_tile(args, out, rows, cols, args.bias == nullptr ? nullptr : args.bias + col0);
}

bool valid(const GemmArgs& args) noexcept {
  if (args.batch < 0 || args.m < 0 || args.n < 0 || args.k < 0) return false;
  if (args.accumulate && args.activation != Activation::kNone) return false;
  if (args.batch == 0 || args.m == 0 || args.n == 0) return true;
  if (args.out == nullptr || args.out_row_stride < args.n) return false;
  return args.k == 0 || (args.a != nullptr && args.b != nullptr);
}

/// A batch that shares b and whose rows continue from member to member is one taller product.
GemmArgs merge_batch(GemmArgs args) noexcept {
  const bool rows_continue = args.a_batch_stride == args.m * args.a_row_stride &&
                             args.out_batch_stride == args.m * args.out_row_stride;
  if (args.batch > 1 && args.b_batch_stride == 0 && !args.transpose_a && rows_continue) {
    args.m *= args.batch;
    args.batch = 1;
  }
  return args;
}

}  // namespace

Status gemm(const GemmArgs& given) noexcept {
  if (!valid(given)) return Status::kBadArgument;
  if (given.batch == 0 || given.m == 0 || given.n == 0) return Status::kOk;
  const GemmArgs args = merge_batch(given);
  const Tiling t = choose_tiling(args);
  const int32_t workers = worker_limit();
  const int64_t a_size = t.pack_a ? round_up(t.rows * smaller(args.k, kDepth), kLanes) : 0;
  const int64_t b_size = packed_b_size(t.packed_depth, t.cols);
  Scratch scratch(workers * (a_size + b_size));
  if (!scratch.ok()) return Status::kOutOfMemory;
  // Each chunk is a column of tiles cut into strips, so that a worker meets the same b again.
  Scratch worker_scratch(workers * static_cast<int64_t>(sizeof(Worker) / sizeof(float)));
  if (!worker_scratch.ok()) return Status::kOutOfMemory;
  Worker* state = reinterpret_cast<Worker*>(worker_scratch.data());
  for (int32_t i = 0; i < workers; ++i) {
    float* own = scratch.data() + i * (a_size + b_size);
    state[i] = {own + b_size, own, -1};
  }
  for_chunks(args.batch * t.col_tiles * t.row_tiles, workers, [&](int64_t chunk, int32_t worker) noexcept {
    const int64_t row_tile = chunk % t.row_tiles;
    const int64_t col_tile = chunk / t.row_tiles % t.col_tiles;
    const int64_t member = chunk / (t.row_tiles * t.col_tiles);
    compute_tile(args, t, member, row_tile * t.rows, col_tile * t.cols, state[worker]);
  });
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS
