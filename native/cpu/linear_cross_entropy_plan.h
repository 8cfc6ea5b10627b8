/// Sizes and memory of one call of linear_cross_entropy.
#pragma once

#include "gemm_kernel.h"
#include "statespace/cross_entropy.h"
#include "thread_pool.h"

namespace statespace::STATESPACE_ISA_NS {

/// Most vocabulary entries of one tile: whole panels of the inner kernel on AVX-512 both ways.
inline constexpr int64_t kLargestTile = 224;
/// A small vocabulary is cut into at least this many tiles where they keep two panels, to feed several threads.
inline constexpr int64_t kFewestTiles = 8;
/// E is kept within this many floats by the choice of T.
inline constexpr int64_t kScratchFloats = int64_t{6} << 20;
inline constexpr int64_t kFewestRows = 64;
inline constexpr int64_t kMostRows = 256;
/// Parts of dx per block; tiles of one part are one chunk of work.
inline constexpr int64_t kGroups = 32;
inline constexpr float kLargestRise = 60.0f;

/// What step 4 needs of a block.
struct HeadBlock {
  int64_t first = 0;
  int64_t size = 0;
  int32_t* targets = nullptr;  // (T)
  float* sum = nullptr;        // (T): s, rounded
  float* scale = nullptr;      // (T): r
};

/// Sizes and memory of one call. Pointers into scratch have the shapes that follow them.
struct Head {
  const LinearCrossEntropyArgs& args;
  int64_t counted = 0;
  /// T
  int64_t block = 0;
  /// Row stride of E: whole vectors, and an odd number of cache lines so that its rows do not evict one another.
  int64_t e_step = 0;
  int64_t tile = 0;
  int64_t tiles = 0;
  int64_t groups = 0;
  int32_t workers = 1;
  /// Whether E is needed once its sums are known.
  bool keeps_exponentials = false;

  int64_t* rows = nullptr;           // (counted): which rows of x count
  float* x = nullptr;                // (T, dim), gathered
  float* packed_x = nullptr;         // op(b) = x^T: dim x T
  float* packed_scaled_x = nullptr;  // op(b) = r x: T x dim
  float* target_logit = nullptr;     // (T)
  float* reference = nullptr;        // (T): c
  HeadBlock now = {};
  HeadBlock before = {};                 // of size 0 while there is none
  float* tile_sum = nullptr;         // (tiles, T)
  float* tile_largest = nullptr;     // (tiles, T): largest logit of entries other than the target
  float* e = nullptr;                // (tiles * tile, e_step), or one tile per worker when no gradient is wanted
  float* grad_x_part = nullptr;      // (groups, T, dim)
  float* packed_weight = nullptr;    // per worker: tile x dim
};

static inline int64_t lanes_up(int64_t n) { return round_up(n, kLanes); }

/// Calls for the cache lines of a row of n floats before they are needed.
STATESPACE_INLINE void prefetch_row(const float* p, int64_t n) {
  for (int64_t i = 0; i < n; i += 16) prefetch(p + i);
}

STATESPACE_INLINE void prefetch_row_to_write(const float* p, int64_t n) {
  for (int64_t i = 0; i < n; i += 16) __builtin_prefetch(p + i, 1, 3);
}

/// Hands out pieces of scratch memory, or only counts them while there is none.
struct Carver {
  float* base;
  int64_t used = 0;

  template <typename T>
  void take(T*& place, int64_t count) noexcept {
    if (base != nullptr) place = reinterpret_cast<T*>(base + used);
    used += round_up(count * static_cast<int64_t>(sizeof(T) / sizeof(float)), 16);
  }
};

/// Sets the pointers of `h` into `base`, unless that is null; returns the floats needed.
static inline int64_t lay_out(Head& h, float* base) noexcept {
  const int64_t dim = h.args.dim;
  const bool wants_x = h.args.grad_x != nullptr;
  Carver carver{base};
  carver.take(h.rows, h.counted);
  carver.take(h.x, h.block * dim);
  carver.take(h.packed_x, packed_b_size(dim, h.block));
  carver.take(h.packed_scaled_x, packed_b_size(h.block, dim));
  carver.take(h.target_logit, h.block);
  carver.take(h.reference, h.block);
  for (HeadBlock* block : {&h.now, &h.before}) {
    carver.take(block->targets, h.block);
    carver.take(block->sum, h.block);
    carver.take(block->scale, h.block);
  }
  carver.take(h.tile_sum, h.tiles * h.block);
  carver.take(h.tile_largest, h.tiles * h.block);
  carver.take(h.e, (h.keeps_exponentials ? h.tiles : h.workers) * h.tile * h.e_step);
  carver.take(h.grad_x_part, wants_x ? h.groups * h.block * dim : 0);
  carver.take(h.packed_weight, wants_x && dim % kLanes != 0 ? h.workers * packed_b_size(h.tile, dim) : 0);
  return carver.used;
}

/// Sizes that follow from the shape alone, so that results do not depend on the number of threads.
static inline void choose_sizes(Head& h) noexcept {
  // E passes through the caches once per row, weight and its gradient once per block: T = dim weighs them equally.
  const int64_t scratch = kScratchFloats / h.args.vocab / kMicroCols * kMicroCols;
  const int64_t fit = smaller(round_up(h.args.dim, kMicroCols), scratch);
  const int64_t most = smaller(larger(fit, kFewestRows), kMostRows);
  h.block = smaller(lanes_up(larger<int64_t>(h.counted, 1)), most);
  h.e_step = h.block + kLanes;
  if (h.e_step / 16 % 2 == 0) h.e_step += 16;
  const int64_t panels = larger<int64_t>(2, ceil_div(ceil_div(h.args.vocab, kFewestTiles), kMicroRows));
  h.tile = smaller(kLargestTile, panels * kMicroRows);
  h.tiles = ceil_div(h.args.vocab, h.tile);
  h.groups = smaller(h.tiles, kGroups);
  h.workers = worker_limit();
}

}  // namespace statespace::STATESPACE_ISA_NS
