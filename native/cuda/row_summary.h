/// What softmax and cross-entropy need to know of a row, found in one pass over it by a thread block.
#pragma once

#include "device.h"

namespace statespace::cuda {

/// Largest value, sum of exp(value - largest) and first place of the largest; -1 while there is none.
struct RowSummary {
  float largest = -__builtin_inff();
  float sum = 0.0f;
  int32_t place = -1;
};

__device__ __forceinline__ void add_value(RowSummary& row, float value, int32_t place) {
  if (value > row.largest) {
    row.sum = row.sum * expf(row.largest - value) + 1.0f;
    row.largest = value;
    row.place = place;
  } else if (value != -__builtin_inff()) {  // not a number too
    row.sum += expf(value - row.largest);
  }
}

__device__ __forceinline__ RowSummary merge(const RowSummary& a, const RowSummary& b) {
  // No place, -1, is behind all others.
  const bool earlier = static_cast<uint32_t>(a.place) < static_cast<uint32_t>(b.place);
  const bool first = a.largest > b.largest || (a.largest == b.largest && earlier);
  const RowSummary& large = first ? a : b;
  const RowSummary& small = first ? b : a;
  const float share = small.largest == large.largest ? 1.0f : expf(small.largest - large.largest);
  return {large.largest, large.sum + small.sum * share, large.place};
}

template <int kThreads>
struct WarpSummaries {
  RowSummary warps[kThreads / kWarpSize];
};

/// Of the whole block; every thread gets the same bits. The next call must come after a barrier.
template <int kThreads>
__device__ __forceinline__ RowSummary merge_in_block(RowSummary own, WarpSummaries<kThreads>& memory) {
  for (int distance = kWarpSize / 2; distance > 0; distance /= 2) {
    const RowSummary other = {__shfl_xor_sync(kWholeWarp, own.largest, distance),
                              __shfl_xor_sync(kWholeWarp, own.sum, distance),
                              __shfl_xor_sync(kWholeWarp, own.place, distance)};
    own = merge(own, other);
  }
  if (lane_index() == 0) memory.warps[threadIdx.x / kWarpSize] = own;
  __syncthreads();
  RowSummary all = memory.warps[0];
  for (int warp = 1; warp < kThreads / kWarpSize; ++warp) all = merge(all, memory.warps[warp]);
  return all;
}

}  // namespace statespace::cuda
