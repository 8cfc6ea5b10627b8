/// Output head fused with its cross-entropy: loss, hits and gradients of
///   loss = mean over counted rows of (log sum_v exp(l_mv) - l_m,target),   l = x weight^T + bias,
/// without ever holding all logits. Oracle: packages/ssd-core/src/ops/linear-cross-entropy.
///
/// Counted rows are taken in blocks of T; the vocabulary is cut into tiles. For one block:
///   1  per tile    E_vm = exp(l_mv - c_m), transposed (lanes are rows m, so sums over v need no shuffles), with
///                  c_m the row's target logit; sums and largest logits per row and tile;
///                  dx_part += E^T weight_tile while E is in the cache
///   2  per block   s_m = sum_v E_vm, loss_m = log s_m, r_m = 1 / (s_m counted)
///   3  per block   dx_m = r_m (sum of the parts - s_m weight_target)
///   4  per tile    E_target,m -= s_m;  dweight_tile += E (r x)
/// So each logit is computed once and each exponential once, weight is read as it lies, and the three products run
/// in the inner kernel of gemm. Step 4 needs the sums of step 2 and therefore all of E: it waits for step 1 of the
/// next block, which takes a tile over as soon as step 4 is done with it. E thus comes from the third-level cache once
/// for both, and T is small enough for E to stay there beside weight and its gradient.
///
/// The reference c_m need not be the maximum: float32 has room for differences up to 88. Where a logit exceeds the
/// target's by more than kLargestRise, step 1 is done again with the true maximum as c_m.
///
/// Every tile belongs to one chunk, blocks follow one another, and parts of dx are made by fixed groups of tiles
/// and added in order: the same bits for every number of threads.
#include <math.h>

#include <utility>

#include "isa_kernels.h"
#include "linear_cross_entropy_tiles.h"
#include "scratch.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

/// l_m,target of the block's rows, by the same kernel and the same order of additions as in the tiles.
void target_logits(const Head& h) noexcept {
  const LinearCrossEntropyArgs& a = h.args;
  const int64_t size = h.now.size;
  for (int64_t m = 0; m < size; ++m) {
    const int64_t panel = m / kMicroCols * kMicroCols;
    const int64_t width = panel_width(lanes_up(size) - panel);
    const int64_t vector = (m - panel) / kLanes * kLanes;
    float logits[kLanes];
    micro_product(1, kLanes, a.dim, a.weight + h.now.targets[m] * a.dim, 0, 1,
                  h.packed_x + packed_b_offset(a.dim, panel) + vector, width, logits, kLanes, false);
    h.target_logit[m] = logits[(m - panel) % kLanes] + (a.bias == nullptr ? 0.0f : a.bias[h.now.targets[m]]);
    h.reference[m] = h.target_logit[m];
  }
  for (int64_t m = size; m < lanes_up(size); ++m) h.reference[m] = 0;
}

/// Brings the rows of the block together and packs them.
void gather_block(const Head& h) noexcept {
  const LinearCrossEntropyArgs& a = h.args;
  const int64_t size = h.now.size;
  for (int64_t m = 0; m < size; ++m) {
    const int64_t row = h.rows[h.now.first + m];
    h.now.targets[m] = a.targets[row];
    const float* from = a.x + row * a.x_row_stride;
    for_vectors(a.dim, [&](int64_t i, int64_t n) { store_some(h.x + m * a.dim + i, load_some(from + i, n), n); });
  }
  for (int64_t m = size; m < lanes_up(size); ++m) {
    h.now.targets[m] = -1;
    for (int64_t i = 0; i < a.dim; ++i) h.x[m * a.dim + i] = 0;
  }
  pack_b(h.x, a.dim, true, a.dim, lanes_up(size), h.packed_x);
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
  for (int32_t v = 0; v < h.now.targets[m]; ++v) {
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

/// Steps 1 and 2, and step 4 of the block before.
void finish_rows(const Head& h, Totals& totals) noexcept {
  const int64_t size = h.now.size;
  const int64_t padded = lanes_up(size);
  pass_over_tiles(h, h.keeps_exponentials);
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
  if (again) pass_over_tiles(h, false);
  for (int64_t m = 0; m < size; ++m) {
    const double sum = row_sum(h, m, padded);
    totals.loss += ::log(sum) + (static_cast<double>(h.reference[m]) - static_cast<double>(h.target_logit[m]));
    h.now.sum[m] = static_cast<float>(sum);
    h.now.scale[m] = static_cast<float>(1 / (sum * static_cast<double>(h.counted)));
  }
}

/// Step 3.
void finish_grad_x(const Head& h) noexcept {
  const LinearCrossEntropyArgs& a = h.args;
  const int64_t part = h.block * a.dim;
  for_ranges(h.now.size, 32, [&](int64_t begin, int64_t end) noexcept {
    for (int64_t m = begin; m < end; ++m) {
      float* out = a.grad_x + h.rows[h.now.first + m] * a.dim;
      const Floats r = broadcast(h.now.scale[m]);
      const Floats s = broadcast(h.now.sum[m]);
      const float* target = a.weight + h.now.targets[m] * a.dim;
      for_vectors(a.dim, [&](int64_t i, int64_t n) {
        Floats sum = -s * load_some(target + i, n);
        for (int64_t group = 0; group < h.groups; ++group) {
          if (part_begin(h, group) == part_begin(h, group + 1)) continue;
          sum += load_some(h.grad_x_part + group * part + m * a.dim + i, n);
        }
        store_some(out + i, sum * r, n);
      });
    }
  });
}

/// r x, packed as the right operand of dweight.
void pack_scaled_x(const Head& h) noexcept {
  const int64_t dim = h.args.dim;
  for (int64_t m = 0; m < h.now.size; ++m) {
    const Floats r = broadcast(h.now.scale[m]);
    float* x = h.x + m * dim;
    for_vectors(dim, [&](int64_t i, int64_t n) { store_some(x + i, load_some(x + i, n) * r, n); });
  }
  pack_b(h.x, dim, false, h.now.size, dim, h.packed_scaled_x);
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
    h.now.first = first;
    h.now.size = smaller(h.block, h.counted - first);
    gather_block(h);
    target_logits(h);
    finish_rows(h, totals);
    if (args.grad_x != nullptr) finish_grad_x(h);
    if (args.grad_weight != nullptr) pack_scaled_x(h);
    std::swap(h.now, h.before);
  }
  h.now.size = 0;
  if (h.keeps_exponentials && h.before.size > 0) pass_over_tiles(h, true);
  *args.loss = h.counted == 0 ? 0.0f : static_cast<float>(totals.loss / static_cast<double>(h.counted));
  if (args.correct != nullptr) *args.correct = static_cast<float>(totals.correct);
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS
