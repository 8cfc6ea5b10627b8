/// Sums of the lanes of many vectors at once, in a fixed order.
#pragma once

#include "simd.h"

namespace statespace::STATESPACE_ISA_NS {

/// Lane j of the result: of each pair of blocks of kDistance lanes, the sum, from a where bit kDistance of j is 0.
template <int kDistance>
STATESPACE_INLINE Floats fold(Floats a, Floats b) {
  // The lanes that stay where they are make a blend, which is cheaper than a second move.
  Ints kept, moved;
  for (int j = 0; j < kLanes; ++j) {
    kept[j] = (j & kDistance) != 0 ? kLanes + j : j;
    moved[j] = (j & kDistance) != 0 ? kLanes + j - kDistance : j + kDistance;
  }
  return shuffle(a, b, kept) + shuffle(a, b, moved);
}

/// Lane j of the result is the sum of the lanes of vector j of kLanes: a tree of additions, the same on every run.
template <int kCount>
STATESPACE_INLINE Floats lane_sums(const float* vectors) {
  if constexpr (kCount == 1) {
    return load(vectors);
  } else {
    const Floats even = lane_sums<kCount / 2>(vectors);
    const Floats odd = lane_sums<kCount / 2>(vectors + kCount / 2 * kLanes);
    return fold<kCount / 2>(even, odd);
  }
}

}  // namespace statespace::STATESPACE_ISA_NS
