/// The last step of the selective scan's backward pass: partial sums, added in a fixed order.
#pragma once

#include "parallel.h"
#include "scan_tiles.h"

namespace statespace::STATESPACE_ISA_NS {

/// to = sum of `count` rows of `size` floats, in order.
static inline void add_rows(const float* rows, int64_t count, int64_t size, float* to) noexcept {
  if (to == nullptr || rows == to) return;
  for_ranges(size, 4096, [&](int64_t begin, int64_t end) noexcept {
    for (int64_t i = begin; i < end; i += kLanes) {
      const int64_t lanes = smaller<int64_t>(kLanes, end - i);
      Floats sum = load_lanes(rows + i, lanes);
      for (int64_t r = 1; r < count; ++r) sum += load_lanes(rows + r * size + i, lanes);
      store_lanes(to + i, sum, lanes);
    }
  });
}

/// grad = sum over slots of the partial (B, L, G, N) tensors; group g has as many slots as blocks.
static inline void add_slots(const ScanPlan& plan, const float* partial, bool of_B, int64_t groups, int64_t rows,
                             int64_t d_state, float* to) noexcept {
  if (to == nullptr || partial == to) return;
  const int64_t size = rows * groups * d_state;
  for_ranges(rows, 64, [&](int64_t begin, int64_t end) noexcept {
    for (int64_t i = 0; i < plan.block_count(); ++i) {
      const ScanBlock& block = plan.block(i);
      const int64_t slot = of_B ? block.b_slot : block.c_slot;
      const int64_t group = of_B ? block.b_group : block.c_group;
      for (int64_t row = begin; row < end; ++row) {
        float* sum = to + (row * groups + group) * d_state;
        const float* from = partial + slot * size + (row * groups + group) * d_state;
        for (int64_t n = 0; n < d_state; ++n) sum[n] = slot == 0 ? from[n] : sum[n] + from[n];
      }
    }
  });
}

}  // namespace statespace::STATESPACE_ISA_NS
