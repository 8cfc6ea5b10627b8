/// Output head fused with its cross-entropy: loss, hits and gradients of
///   loss = mean over counted rows of (log sum_v exp(l_mv) - l_m,target),   l = x weight^T + bias,
/// without ever holding all logits. Oracle: packages/ssd-core/src/ops/linear-cross-entropy.
///
/// Counted rows are taken in blocks of T; the vocabulary is cut into tiles. For one block:
///   1  per tile    E_vm = exp(l_mv - c_m), transposed (lanes are rows m, so sums over v need no shuffles), with
///                  c_m the row's target logit; sums and largest logits per row and tile;
///                  dx_part += E^T weight_tile while E is in the cache
///   2  per block   s_m = sum_v E_vm, loss_m = log s_m, r_m = 1 / (s_m counted)
///   3  per tile    E_target,m -= s_m;  dweight_tile += E (r x)
///   4  per block   dx_m = r_m (sum of the parts - s_m weight_target)
/// So each logit is computed once and each exponential once, weight is read as it lies, and the three products run
/// in the inner kernel of gemm. E holds T rows only (kScratchFloats); it goes out to the third-level cache once and
/// comes back once.
///
/// The reference c_m need not be the maximum: float32 has room for differences up to 88. Where a logit exceeds the
/// target's by more than kLargestRise, step 1 is done again with the true maximum as c_m.
///
/// Every tile belongs to one chunk, blocks follow one another, and parts of dx are made by fixed groups of tiles
/// and added in order: the same bits for every number of threads.
#include <math.h>

#include "gemm_kernel.h"
#include "isa_kernels.h"
#include "parallel.h"
#include "row_sums.h"
#include "scratch.h"
#include "vector_math.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

/// Most vocabulary entries of one tile: whole panels of the inner kernel on AVX-512 both ways.
constexpr int64_t kLargestTile = 448;
/// A small vocabulary is cut into at least this many tiles where they keep two panels, to feed several threads.
constexpr int64_t kFewestTiles = 8;
/// E is kept within this many floats by the choice of T.
constexpr int64_t kScratchFloats = int64_t{6} << 20;
constexpr int64_t kFewestRows = 64;
constexpr int64_t kMostRows = 256;
/// Parts of dx per block; tiles of one part are one chunk of work.
constexpr int64_t kGroups = 48;
constexpr float kLargestRise = 60.0f;

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
  float* scale = nullptr;            // (T): r
  float* sum = nullptr;              // (T): s, rounded
  int32_t* targets = nullptr;        // (T)
  float* tile_sum = nullptr;         // (tiles, T)
  float* tile_largest = nullptr;     // (tiles, T): largest logit of entries other than the target
  float* e = nullptr;                // (tiles * tile, e_step), or one tile per worker when no gradient is wanted
  float* grad_x_part = nullptr;      // (groups, T, dim)
  float* packed_weight = nullptr;    // per worker: tile x dim
};

int64_t lanes_up(int64_t n) { return round_up(n, kLanes); }

/// Calls for the cache lines of a row of n floats before they are needed.
STATESPACE_INLINE void prefetch_row(const float* p, int64_t n) {
  for (int64_t i = 0; i < n; i += 16) prefetch(p + i);
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
int64_t lay_out(Head& h, float* base) noexcept {
  const int64_t dim = h.args.dim;
  const bool wants_x = h.args.grad_x != nullptr;
  Carver carver{base};
  carver.take(h.rows, h.counted);
  carver.take(h.x, h.block * dim);
  carver.take(h.packed_x, packed_b_size(dim, h.block));
  carver.take(h.packed_scaled_x, packed_b_size(h.block, dim));
  carver.take(h.target_logit, h.block);
  carver.take(h.reference, h.block);
  carver.take(h.scale, h.block);
  carver.take(h.sum, h.block);
  carver.take(h.targets, h.block);
  carver.take(h.tile_sum, h.tiles * h.block);
  carver.take(h.tile_largest, h.tiles * h.block);
  carver.take(h.e, (h.keeps_exponentials ? h.tiles : h.workers) * h.tile * h.e_step);
  carver.take(h.grad_x_part, wants_x ? h.groups * h.block * dim : 0);
  carver.take(h.packed_weight, wants_x && dim % kLanes != 0 ? h.workers * packed_b_size(h.tile, dim) : 0);
  return carver.used;
}

/// Sizes that follow from the shape alone, so that results do not depend on the number of threads.
void choose_sizes(Head& h) noexcept {
  const int64_t fit = kScratchFloats / h.args.vocab / kMicroCols * kMicroCols;
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

/// l_m,target of the block's rows, by the same kernel and the same order of additions as in the tiles.
void target_logits(const Head& h, int64_t size) noexcept {
  const LinearCrossEntropyArgs& a = h.args;
  for (int64_t m = 0; m < size; ++m) {
    const int64_t panel = m / kMicroCols * kMicroCols;
    const int64_t width = panel_width(lanes_up(size) - panel);
    const int64_t vector = (m - panel) / kLanes * kLanes;
    float logits[kLanes];
    micro_product(1, kLanes, a.dim, a.weight + h.targets[m] * a.dim, 0, 1,
                  h.packed_x + packed_b_offset(a.dim, panel) + vector, width, logits, kLanes, false);
    h.target_logit[m] = logits[(m - panel) % kLanes] + (a.bias == nullptr ? 0.0f : a.bias[h.targets[m]]);
    h.reference[m] = h.target_logit[m];
  }
  for (int64_t m = size; m < lanes_up(size); ++m) h.reference[m] = 0;
}

/// Brings the counted rows [first, first + size) together and packs them.
void gather_block(const Head& h, int64_t first, int64_t size) noexcept {
  const LinearCrossEntropyArgs& a = h.args;
  for (int64_t m = 0; m < size; ++m) {
    const int64_t row = h.rows[first + m];
    h.targets[m] = a.targets[row];
    const float* from = a.x + row * a.x_row_stride;
    for_vectors(a.dim, [&](int64_t i, int64_t n) { store_some(h.x + m * a.dim + i, load_some(from + i, n), n); });
  }
  for (int64_t m = size; m < lanes_up(size); ++m) {
    h.targets[m] = -1;
    for (int64_t i = 0; i < a.dim; ++i) h.x[m * a.dim + i] = 0;
  }
  pack_b(h.x, a.dim, true, a.dim, lanes_up(size), h.packed_x);
}

/// Running sum of exponentials and largest logit of one vector of rows.
struct RowStats {
  Floats sum;
  Floats largest;
};

/// Turns `height` rows of logits, vocabulary entries v0 and up, into exponentials in place. With kTargetsInside the
/// targets' own logits are left out of the largest.
template <bool kTargetsInside>
STATESPACE_INLINE RowStats exponentiate(float* e, int64_t e_step, int64_t height, int32_t v0, const float* bias,
                                        Floats reference, Ints targets, RowStats stats) {
  Floats sum = {};
  for (int64_t i = 0; i < height; ++i) {
    Floats logit = load(e + i * e_step);
    if (bias != nullptr) logit += bias[i];
    const Floats value = exp2((logit - reference) * kLog2E);
    store(e + i * e_step, value);
    sum += value;
    if constexpr (kTargetsInside) {
      logit = select(targets == broadcast(v0 + static_cast<int32_t>(i)), broadcast(-__builtin_inff()), logit);
    }
    stats.largest = max(logit, stats.largest);
  }
  return {stats.sum + sum, stats.largest};
}

/// Step 1 for one tile.
void exponential_tile(const Head& h, int64_t tile, int64_t size, float* e) noexcept {
  const LinearCrossEntropyArgs& a = h.args;
  const int64_t v0 = tile * h.tile;
  const int64_t entries = smaller(h.tile, a.vocab - v0);
  const int64_t padded = lanes_up(size);
  for (int64_t m0 = 0; m0 < padded; m0 += kMicroCols) {
    const int64_t cols = smaller<int64_t>(kMicroCols, padded - m0);
    const float* panel = h.packed_x + packed_b_offset(a.dim, m0);
    RowStats stats[2];
    bool inside[2];
    for (int64_t j = 0; j < cols / kLanes; ++j) {
      stats[j] = {Floats{}, broadcast(-__builtin_inff())};
      const Ints target = load(h.targets + m0 + j * kLanes);
      inside[j] = any((target >= static_cast<int32_t>(v0)) & (target < static_cast<int32_t>(v0 + entries)));
    }
    for (int64_t v = 0; v < entries; v += kMicroRows) {
      const int64_t height = smaller<int64_t>(kMicroRows, entries - v);
      float* part = e + v * h.e_step + m0;
      for (int64_t i = kMicroRows; i < 2 * kMicroRows; ++i) prefetch_row(part + i * h.e_step, kMicroCols);
      micro_product(height, cols, a.dim, a.weight + (v0 + v) * a.dim, a.dim, 1, panel, panel_width(cols), part,
                    h.e_step, false);
      const float* bias = a.bias == nullptr ? nullptr : a.bias + v0 + v;
      for (int64_t j = 0; j < cols / kLanes; ++j) {
        const int64_t m = m0 + j * kLanes;
        const Floats reference = load(h.reference + m);
        const Ints targets = load(h.targets + m);
        const int32_t first = static_cast<int32_t>(v0 + v);
        stats[j] = inside[j] ? exponentiate<true>(part + j * kLanes, h.e_step, height, first, bias, reference, targets,
                                                  stats[j])
                             : exponentiate<false>(part + j * kLanes, h.e_step, height, first, bias, reference,
                                                   targets, stats[j]);
      }
    }
    for (int64_t j = 0; j < cols / kLanes; ++j) {
      store(h.tile_sum + tile * padded + m0 + j * kLanes, stats[j].sum);
      store(h.tile_largest + tile * padded + m0 + j * kLanes, stats[j].largest);
    }
  }
}

/// The tile's share of dx, while its exponentials are still in the cache; `fresh` where it is the first of its group.
void grad_x_tile(const Head& h, int64_t tile, int64_t size, const float* e, float* part, bool fresh,
                 float* packed_weight) noexcept {
  const LinearCrossEntropyArgs& a = h.args;
  const int64_t entries = smaller(h.tile, a.vocab - tile * h.tile);
  const float* weight = a.weight + tile * h.tile * a.dim;
  if (a.dim % kLanes == 0) {
    direct_product(size, a.dim, entries, e, 1, h.e_step, weight, a.dim, part, a.dim, !fresh);
  } else {
    pack_b(weight, a.dim, false, entries, a.dim, packed_weight);
    block_product(size, a.dim, entries, e, 1, h.e_step, packed_weight, part, a.dim, !fresh);
  }
}

void exponential_tiles(const Head& h, int64_t size) noexcept {
  const bool wants_x = h.args.grad_x != nullptr;
  for_chunks(h.groups, h.workers, [&](int64_t group, int32_t worker) noexcept {
    const int64_t begin = h.tiles * group / h.groups;
    const int64_t end = h.tiles * (group + 1) / h.groups;
    float* packed_weight = h.packed_weight + worker * packed_b_size(h.tile, h.args.dim);
    for (int64_t tile = begin; tile < end; ++tile) {
      float* e = h.e + (h.keeps_exponentials ? tile : worker) * h.tile * h.e_step;
      exponential_tile(h, tile, size, e);
      if (!wants_x) continue;
      grad_x_tile(h, tile, size, e, h.grad_x_part + group * h.block * h.args.dim, tile == begin, packed_weight);
    }
  });
}

/// The largest logit of row m over all entries but its target.
float largest_other(const Head& h, int64_t m, int64_t padded) noexcept {
  float largest = -__builtin_inff();
  for (int64_t tile = 0; tile < h.tiles; ++tile) largest = larger(largest, h.tile_largest[tile * padded + m]);
  return largest;
}

/// Whether the target is the first among equals, asked only when another entry has exactly its logit.
bool first_of_equals(const Head& h, int64_t m, int64_t padded) noexcept {
  const LinearCrossEntropyArgs& a = h.args;
  for (int32_t v = 0; v < h.targets[m]; ++v) {
    if (h.tile_largest[v / h.tile * padded + m] != h.target_logit[m]) {
      v = static_cast<int32_t>((v / h.tile + 1) * h.tile - 1);
      continue;
    }
    float logit[kLanes];
    const int64_t panel = m / kMicroCols * kMicroCols;
    const int64_t vector = (m - panel) / kLanes * kLanes;
    micro_product(1, kLanes, a.dim, a.weight + v * a.dim, 0, 1,
                  h.packed_x + packed_b_offset(a.dim, panel) + vector, panel_width(padded - panel), logit, kLanes,
                  false);
    const float with_bias = logit[(m - panel) % kLanes] + (a.bias == nullptr ? 0.0f : a.bias[v]);
    if (with_bias == h.target_logit[m]) return false;
  }
  return true;
}

struct Totals {
  double loss = 0;
  int64_t correct = 0;
};

double row_sum(const Head& h, int64_t m, int64_t padded) noexcept {
  double sum = 0;
  for (int64_t tile = 0; tile < h.tiles; ++tile) sum += static_cast<double>(h.tile_sum[tile * padded + m]);
  return sum;
}

/// Steps 1 and 2.
void finish_rows(const Head& h, int64_t size, Totals& totals) noexcept {
  const int64_t padded = lanes_up(size);
  exponential_tiles(h, size);
  bool again = false;
  for (int64_t m = 0; m < size; ++m) {
    const float other = largest_other(h, m, padded);
    const float target = h.target_logit[m];
    const double sum = row_sum(h, m, padded);
    const bool hit = other < target || (other == target && first_of_equals(h, m, padded));
    if (hit && sum == sum) ++totals.correct;
    if (other - target > kLargestRise && other < __builtin_inff()) {
      h.reference[m] = other;
      again = true;
    }
  }
  if (again) exponential_tiles(h, size);
  for (int64_t m = 0; m < size; ++m) {
    const double sum = row_sum(h, m, padded);
    totals.loss += ::log(sum) + (static_cast<double>(h.reference[m]) - static_cast<double>(h.target_logit[m]));
    h.sum[m] = static_cast<float>(sum);
    h.scale[m] = static_cast<float>(1 / (sum * static_cast<double>(h.counted)));
  }
}

/// r x, packed as the right operand of dweight.
void pack_scaled_x(const Head& h, int64_t size) noexcept {
  const int64_t dim = h.args.dim;
  for (int64_t m = 0; m < size; ++m) {
    const Floats r = broadcast(h.scale[m]);
    float* x = h.x + m * dim;
    for_vectors(dim, [&](int64_t i, int64_t n) { store_some(x + i, load_some(x + i, n) * r, n); });
  }
  pack_b(h.x, dim, false, size, dim, h.packed_scaled_x);
}

/// Step 3 for one tile.
void gradient_tile(const Head& h, int64_t tile, int64_t size, bool first_block) noexcept {
  const LinearCrossEntropyArgs& a = h.args;
  const int64_t v0 = tile * h.tile;
  const int64_t entries = smaller(h.tile, a.vocab - v0);
  float* e = h.e + v0 * h.e_step;
  for (int64_t m = 0; m < size; ++m) {
    const int64_t at = h.targets[m] - v0;
    if (at >= 0 && at < entries) e[at * h.e_step + m] -= h.sum[m];
  }
  for (int64_t v = 0; a.grad_weight != nullptr && v < entries; v += kMicroRows) {
    const int64_t height = smaller<int64_t>(kMicroRows, entries - v);
    for (int64_t i = v + kMicroRows; i < smaller(v + 2 * kMicroRows, entries); ++i) {
      prefetch_row(e + i * h.e_step, size);
      if (!first_block) prefetch_row(a.grad_weight + (v0 + i) * a.dim, a.dim);
    }
    block_product(height, a.dim, size, e + v * h.e_step, h.e_step, 1, h.packed_scaled_x,
                  a.grad_weight + (v0 + v) * a.dim, a.dim, !first_block);
  }
  if (a.grad_bias != nullptr) {
    for (int64_t v = 0; v < entries; ++v) {
      Floats sum = {};
      for_vectors(size, [&](int64_t m, int64_t n) {
        sum = fma(load_some(e + v * h.e_step + m, n), load_some(h.scale + m, n), sum);
      });
      const float total = reduce_add(sum);
      a.grad_bias[v0 + v] = first_block ? total : a.grad_bias[v0 + v] + total;
    }
  }
}

/// Steps 3 and 4.
void block_gradients(const Head& h, int64_t first, int64_t size) noexcept {
  const LinearCrossEntropyArgs& a = h.args;
  if (a.grad_weight != nullptr) pack_scaled_x(h, size);
  const int64_t part = h.block * a.dim;
  if (h.keeps_exponentials) {
    for_chunks(h.tiles, h.workers, [&](int64_t tile, int32_t) noexcept { gradient_tile(h, tile, size, first == 0); });
  }
  if (a.grad_x == nullptr) return;
  for_ranges(size, 32, [&](int64_t begin, int64_t end) noexcept {
    for (int64_t m = begin; m < end; ++m) {
      float* out = a.grad_x + h.rows[first + m] * a.dim;
      const Floats r = broadcast(h.scale[m]);
      const Floats s = broadcast(h.sum[m]);
      const float* target = a.weight + h.targets[m] * a.dim;
      for_vectors(a.dim, [&](int64_t i, int64_t n) {
        Floats sum = -s * load_some(target + i, n);
        for (int64_t group = 0; group < h.groups; ++group) {
          sum += load_some(h.grad_x_part + group * part + m * a.dim + i, n);
        }
        store_some(out + i, sum * r, n);
      });
    }
  });
}

void fill_zero(float* p, int64_t n) noexcept {
  for (int64_t i = 0; i < n; ++i) p[i] = 0;
}

}  // namespace

Status linear_cross_entropy(const LinearCrossEntropyArgs& args) noexcept {
  const bool sized = args.rows >= 0 && args.dim >= 0 && args.vocab >= 1 && args.vocab <= INT32_MAX - kLargestTile;
  if (!sized) return Status::kBadArgument;
  if (args.loss == nullptr || args.weight == nullptr) return Status::kBadArgument;
  if (args.rows > 0 && (args.x == nullptr || args.targets == nullptr)) return Status::kBadArgument;
  Head h{args};
  for (int64_t row = 0; row < args.rows; ++row) {
    if (args.targets[row] == args.ignore_index) continue;
    if (args.targets[row] < 0 || args.targets[row] >= args.vocab) return Status::kIndexOutOfRange;
    ++h.counted;
  }
  h.keeps_exponentials = args.grad_weight != nullptr || args.grad_bias != nullptr;
  choose_sizes(h);
  Scratch scratch(lay_out(h, nullptr));
  if (!scratch.ok()) return Status::kOutOfMemory;
  lay_out(h, scratch.data());

  int64_t place = 0;
  for (int64_t row = 0; row < args.rows; ++row) {
    if (args.targets[row] != args.ignore_index) {
      h.rows[place++] = row;
    } else if (args.grad_x != nullptr) {
      fill_zero(args.grad_x + row * args.dim, args.dim);
    }
  }
  if (h.counted == 0 && args.grad_weight != nullptr) fill_zero(args.grad_weight, args.vocab * args.dim);
  if (h.counted == 0 && args.grad_bias != nullptr) fill_zero(args.grad_bias, args.vocab);

  Totals totals;
  for (int64_t first = 0; first < h.counted; first += h.block) {
    const int64_t size = smaller(h.block, h.counted - first);
    gather_block(h, first, size);
    target_logits(h, size);
    finish_rows(h, size, totals);
    if (h.keeps_exponentials || args.grad_x != nullptr) block_gradients(h, first, size);
  }
  *args.loss = h.counted == 0 ? 0.0f : static_cast<float>(totals.loss / static_cast<double>(h.counted));
  if (args.correct != nullptr) *args.correct = static_cast<float>(totals.correct);
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS
