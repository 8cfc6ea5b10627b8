/// Gradients of B and C of the SSD scans, where several blocks of heads share a group.
#pragma once

#include "parallel.h"
#include "simd.h"

namespace statespace::STATESPACE_ISA_NS {

/// Block 0 of a group writes the gradient itself, block i part i - 1.
struct WeightGradients {
  float* gradient;  // (B, L, G, N); null: not wanted
  float* parts;     // (slots - 1, B, L, G, N)
  int64_t size;

  float* of(int64_t slot) const noexcept { return slot == 0 ? gradient : parts + (slot - 1) * size; }
};

/// Adds the parts of all blocks to the gradient, in order.
static inline void add_parts(const WeightGradients& to, int64_t slots) noexcept {
  if (to.gradient == nullptr || slots == 1) return;
  for_ranges(to.size, kElementGrain, [&](int64_t begin, int64_t end) noexcept {
    for (int64_t slot = 1; slot < slots; ++slot) {
      const float* part = to.of(slot);
      for (int64_t i = begin; i < end; ++i) to.gradient[i] += part[i];
    }
  });
}

}  // namespace statespace::STATESPACE_ISA_NS
