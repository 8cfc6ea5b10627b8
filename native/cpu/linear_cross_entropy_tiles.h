/// The tile loops of linear_cross_entropy: steps 1 and 4 of its list.
#pragma once

#include "linear_cross_entropy_plan.h"
#include "parallel.h"
#include "row_sums.h"
#include "scan_math.h"

namespace statespace::STATESPACE_ISA_NS {

/// Running sum of exponentials and largest logit of one vector of rows.
struct RowStats {
  Floats sum;
  Floats largest;
};

/// Vocabulary entries whose exponentials go together: their stages hide each other's latency.
inline constexpr int kTogether = kMicroRows % 7 == 0 ? 7 : kMicroRows % 3 == 0 ? 3 : 1;

/// e[i] = 2^x[i]; 0 and infinity where float32 ends.
template <int K>
STATESPACE_INLINE void exp2_or_limit_all(Floats (&x)[K], Floats (&e)[K]) {
#if defined(__AVX512F__)
  // The order of operands keeps NaN.
  for (int i = 0; i < K; ++i) x[i] = max(broadcast(-151.0f), min(broadcast(129.0f), x[i]));
  exp2_all(x, e, exp2_constants());
#else
  for (int i = 0; i < K; ++i) e[i] = exp2(x[i]);
#endif
}

/// Turns K rows of logits, vocabulary entries v0 and up, into exponentials in place. With kTargetsInside the targets'
/// own logits are left out of the largest.
template <int K, bool kTargetsInside>
STATESPACE_INLINE void exponentiate_rows(float* e, int64_t e_step, int32_t v0, const float* bias, Floats reference,
                                         Ints targets, RowStats& stats) {
  Floats logit[K], x[K], value[K];
  for (int i = 0; i < K; ++i) logit[i] = load(e + i * e_step);
  if (bias != nullptr) {
    for (int i = 0; i < K; ++i) logit[i] += bias[i];
  }
  for (int i = 0; i < K; ++i) x[i] = (logit[i] - reference) * kLog2E;
  exp2_or_limit_all(x, value);
  for (int i = 0; i < K; ++i) store(e + i * e_step, value[i]);
  for (int i = 0; i < K; ++i) stats.sum += value[i];
  for (int i = 0; i < K; ++i) {
    if constexpr (kTargetsInside) {
      logit[i] = select(targets == broadcast(v0 + i), broadcast(-__builtin_inff()), logit[i]);
    }
    stats.largest = max(logit[i], stats.largest);
  }
}

template <bool kTargetsInside>
static inline void exponentiate(float* e, int64_t e_step, int64_t height, int32_t v0, const float* bias,
                                Floats reference, Ints targets, RowStats& stats) noexcept {
  int64_t i = 0;
  const auto bias_at = [&](int64_t row) { return bias == nullptr ? nullptr : bias + row; };
  RowStats own = {Floats{}, stats.largest};
  for (; i + kTogether <= height; i += kTogether) {
    exponentiate_rows<kTogether, kTargetsInside>(e + i * e_step, e_step, v0 + static_cast<int32_t>(i), bias_at(i),
                                                 reference, targets, own);
  }
  for (; i < height; ++i) {
    exponentiate_rows<1, kTargetsInside>(e + i * e_step, e_step, v0 + static_cast<int32_t>(i), bias_at(i), reference,
                                         targets, own);
  }
  stats = {stats.sum + own.sum, own.largest};
}

/// Step 1 for one tile.
static inline void exponential_tile(const Head& h, int64_t tile, float* e) noexcept {
  const LinearCrossEntropyArgs& a = h.args;
  const int64_t v0 = tile * h.tile;
  const int64_t entries = smaller(h.tile, a.vocab - v0);
  const int64_t padded = lanes_up(h.now.size);
  for (int64_t m0 = 0; m0 < padded; m0 += kMicroCols) {
    const int64_t cols = smaller<int64_t>(kMicroCols, padded - m0);
    const float* panel = h.packed_x + packed_b_offset(a.dim, m0);
    RowStats stats[2];
    bool inside[2];
    for (int64_t j = 0; j < cols / kLanes; ++j) {
      stats[j] = {Floats{}, broadcast(-__builtin_inff())};
      const Ints target = load(h.now.targets + m0 + j * kLanes);
      inside[j] = any((target >= static_cast<int32_t>(v0)) & (target < static_cast<int32_t>(v0 + entries)));
    }
    for (int64_t v = 0; v < entries; v += kMicroRows) {
      const int64_t height = smaller<int64_t>(kMicroRows, entries - v);
      const float* weight = a.weight + (v0 + v) * a.dim;
      float* part = e + v * h.e_step + m0;
      prefetch_row(weight + kMicroRows * a.dim, kMicroRows * a.dim);
      micro_product(height, cols, a.dim, weight, a.dim, 1, panel, panel_width(cols), part, h.e_step, false);
      const float* bias = a.bias == nullptr ? nullptr : a.bias + v0 + v;
      for (int64_t j = 0; j < cols / kLanes; ++j) {
        const int64_t m = m0 + j * kLanes;
        const auto turn = inside[j] ? exponentiate<true> : exponentiate<false>;
        turn(part + j * kLanes, h.e_step, height, static_cast<int32_t>(v0 + v), bias, load(h.reference + m),
             load(h.now.targets + m), stats[j]);
      }
    }
    for (int64_t j = 0; j < cols / kLanes; ++j) {
      store(h.tile_sum + tile * padded + m0 + j * kLanes, stats[j].sum);
      store(h.tile_largest + tile * padded + m0 + j * kLanes, stats[j].largest);
    }
  }
}

/// The tile's share of dx, while its exponentials are still in the cache; `fresh` where it is the first of its group.
static inline void grad_x_tile(const Head& h, int64_t tile, const float* e, float* part, bool fresh,
                               float* packed_weight) noexcept {
  const LinearCrossEntropyArgs& a = h.args;
  const int64_t entries = smaller(h.tile, a.vocab - tile * h.tile);
  const float* weight = a.weight + tile * h.tile * a.dim;
  if (a.dim % kLanes == 0) {
    direct_product(h.now.size, a.dim, entries, e, 1, h.e_step, weight, a.dim, part, a.dim, !fresh);
  } else {
    pack_b(weight, a.dim, false, entries, a.dim, packed_weight);
    block_product(h.now.size, a.dim, entries, e, 1, h.e_step, packed_weight, part, a.dim, !fresh);
  }
}

/// Step 4 for one tile.
static inline void grad_weight_tile(const Head& h, int64_t tile, float* e) noexcept {
  const LinearCrossEntropyArgs& a = h.args;
  const HeadBlock& block = h.before;
  const bool fresh = block.first == 0;
  const int64_t v0 = tile * h.tile;
  const int64_t entries = smaller(h.tile, a.vocab - v0);
  for (int64_t m = 0; m < block.size; ++m) {
    const int64_t at = block.targets[m] - v0;
    if (at >= 0 && at < entries) e[at * h.e_step + m] -= block.sum[m];
  }
  for (int64_t v = 0; a.grad_weight != nullptr && v < entries; v += kMicroRows) {
    const int64_t height = smaller<int64_t>(kMicroRows, entries - v);
    float* out = a.grad_weight + (v0 + v) * a.dim;
    for (int64_t i = v + kMicroRows; i < smaller(v + 2 * kMicroRows, entries); ++i) {
      prefetch_row(e + i * h.e_step, block.size);
    }
    if (!fresh) prefetch_row_to_write(out + kMicroRows * a.dim, kMicroRows * a.dim);
    block_product(height, a.dim, block.size, e + v * h.e_step, h.e_step, 1, h.packed_scaled_x, out, a.dim, !fresh);
  }
  if (a.grad_bias != nullptr) {
    for (int64_t v = 0; v < entries; ++v) {
      Floats sum = {};
      for_vectors(block.size, [&](int64_t m, int64_t n) {
        sum = fma(load_some(e + v * h.e_step + m, n), load_some(block.scale + m, n), sum);
      });
      const float total = reduce_add(sum);
      a.grad_bias[v0 + v] = fresh ? total : a.grad_bias[v0 + v] + total;
    }
  }
}

/// First tile of a part of dx: parts shrink towards the last, so that the threads end together.
static inline int64_t part_begin(const Head& h, int64_t part) noexcept {
  const int64_t left = h.groups - part;
  return h.tiles - h.tiles * left * left / (h.groups * h.groups);
}

/// Step 4 of the block before, where there is one, and step 1 of the block now, tile by tile.
static inline void pass_over_tiles(const Head& h, bool with_gradient) noexcept {
  const LinearCrossEntropyArgs& a = h.args;
  for_chunks(h.groups, h.workers, [&](int64_t group, int32_t worker) noexcept {
    const int64_t begin = part_begin(h, group);
    const int64_t end = part_begin(h, group + 1);
    float* packed_weight = h.packed_weight + worker * packed_b_size(h.tile, a.dim);
    for (int64_t tile = begin; tile < end; ++tile) {
      float* e = h.e + (h.keeps_exponentials ? tile : worker) * h.tile * h.e_step;
      if (with_gradient && h.before.size > 0) grad_weight_tile(h, tile, e);
      if (h.now.size == 0) continue;
      exponential_tile(h, tile, e);
      if (a.grad_x == nullptr) continue;
      grad_x_tile(h, tile, e, h.grad_x_part + group * h.block * a.dim, tile == begin, packed_weight);
    }
  });
}

}  // namespace statespace::STATESPACE_ISA_NS
