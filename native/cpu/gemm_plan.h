/// How gemm cuts a product: from its shape alone, so that results do not depend on the number of threads.
#pragma once

#include "gemm_kernel.h"
#include "row_sums.h"
#include "statespace/gemm.h"

namespace statespace::STATESPACE_ISA_NS {

/// Floats of one pass of packed b that stay in half of a 1 MiB second-level cache.
inline constexpr int64_t kCachedB = 122880;
/// Floats of packed b shared by all threads at a time: 16 MiB.
inline constexpr int64_t kSharedB = int64_t{4} << 20;
/// Multiply-adds that make a chunk worth handing to another thread, and chunks wanted where there is work for them.
inline constexpr int64_t kChunkWork = int64_t{1} << 17;
inline constexpr int64_t kWantedChunks = 32;
/// Products of less work than this do not wait for a shared b: each worker packs its own.
inline constexpr int64_t kSmallWork = int64_t{1} << 22;
/// A b that lies by rows is not packed for as few panels of rows as this, nor where it is as small as this.
inline constexpr int64_t kDirectPanels = 5;
inline constexpr int64_t kDirectB = 32768;
/// Floats packed in one chunk.
inline constexpr int64_t kPackGrain = 32768;
/// Rows of a that are packed at a time, and rows of a tile at most, in panels.
inline constexpr int64_t kBlockPanels = 56 / kMicroRows;
inline constexpr int64_t kTilePanels = 672 / kMicroRows;
/// Panels of rows that pay for the way of a block of b from the third-level cache.
inline constexpr int64_t kRowsEnough = 168 / kMicroRows;
/// The depth is cut into parts of at least this size where out has too few tiles.
inline constexpr int64_t kPartDepth = 512;
inline constexpr int64_t kMostParts = 16;
inline constexpr int64_t kLargestPartSums = int64_t{1} << 16;

struct GemmPlan {
  /// A tile of out.
  int64_t rows;
  int64_t cols;
  int64_t row_tiles;
  /// Depth of one pass.
  int64_t pass;
  /// The depth is cut into this many parts, of this depth.
  int64_t parts;
  int64_t part_depth;
  /// Rows of a taken together.
  int64_t block_rows;
  /// Columns whose packed b is in memory at a time.
  int64_t span;
  bool pack_a;
  /// Whether b is packed once for all row tiles; if not, and in one pass, a worker keeps its packed columns from tile
  /// to tile.
  bool share_b;
  bool keep_b;
  /// Whether b is read as it lies, because one panel of rows would not pay for packing it.
  bool direct_b;
};

/// The smallest number of equal pieces of `size` not above `most` each, as the size of a piece in whole `unit`s.
static inline int64_t even_piece(int64_t size, int64_t most, int64_t unit) noexcept {
  return round_up(ceil_div(size, ceil_div(size, most)), unit);
}

static inline GemmPlan choose_plan(const GemmArgs& args) noexcept {
  GemmPlan t = {};
  const int64_t work = args.batch * args.m * args.n * args.k;
  const int64_t wanted = smaller(kWantedChunks, work / kChunkWork);
  t.pass = even_piece(args.k, kDepth, 1);
  const int64_t cached_cols = larger<int64_t>(1, kCachedB / (t.pass * kMicroCols)) * kMicroCols;
  t.rows = smaller(args.m, kTilePanels * kMicroRows);
  t.cols = smaller(args.n, even_piece(args.n, cached_cols, kMicroCols));
  const auto tiles = [&] { return args.batch * ceil_div(args.m, t.rows) * ceil_div(args.n, t.cols); };
  t.parts = 1;
  t.part_depth = args.k;
  const bool deep = args.k >= 2 * kPartDepth && args.m * args.n <= kLargestPartSums;
  if (args.batch == 1 && deep && tiles() < smaller(wanted, kMostParts)) {
    t.part_depth = round_up(ceil_div(args.k, smaller(smaller(wanted, kMostParts), args.k / kPartDepth)), 16);
    t.pass = even_piece(t.part_depth, kDepth, 1);
    t.part_depth = round_up(t.part_depth, t.pass);
    t.parts = ceil_div(args.k, t.part_depth);
  }
  t.direct_b = !args.transpose_b && args.n % kLanes == 0 &&
               (args.m <= kDirectPanels * kMicroRows || args.n * args.k <= kDirectB);
  while (t.parts * tiles() < wanted) {
    // Rows first, whose number costs little; then halve the longer side, in whole micro tiles, as long as there is one.
    if (t.rows > kRowsEnough * kMicroRows) {
      t.rows = round_up(ceil_div(t.rows, 2), kMicroRows);
    } else if (t.cols > kMicroCols && t.cols >= t.rows) {
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
  t.share_b = !t.direct_b && work >= kSmallWork && t.row_tiles > 1 && (args.batch == 1 || args.b_batch_stride == 0);
  t.keep_b = !t.direct_b && !t.share_b && t.pass == args.k;
  t.span = args.n;
  if (t.share_b && packed_b_size(args.k, args.n) > kSharedB) {
    t.span = smaller(args.n, larger<int64_t>(1, kSharedB / (args.k * t.cols)) * t.cols);
  }
  // Packing a pays when its elements are used often enough, or when its rows lie so that they evict one another.
  const bool rows_collide = !args.transpose_a && args.a_row_stride % 1024 == 0 && t.pass > 64;
  // A transposed a gives one panel of few rows a short piece of each cache line, and of a deep one the lines are gone before
  // the next panel comes.
  const bool pieces = args.transpose_a && 2 * kMicroRows * sizeof(float) <= 64 && t.pass >= 256;
  t.pack_a = !t.direct_b && (t.cols > 6 * kMicroCols || rows_collide || pieces);
  t.block_rows = t.pack_a ? smaller(round_up(t.rows, kMicroRows), kBlockPanels * kMicroRows) : t.rows;
  return t;
}

}  // namespace statespace::STATESPACE_ISA_NS
