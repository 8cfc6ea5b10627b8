/// What a block of the selective scan's backward pass keeps in shared memory, and how its lanes add up.
#pragma once

#include "selective_scan_tile.h"

namespace statespace::cuda {

inline constexpr int kScanWarps = kScanThreads / kWarpSize;

/// Steps whose states a thread keeps: 32 registers of them. A tile of more steps restores its first ones again.
template <typename Value, int kStates>
inline constexpr int kKeptSteps = 32 / (kStates * kParts<Value>);

/// Blocks that shall fit on a multiprocessor: three of the common kernel, whose registers that bounds.
template <typename Value, int kStates>
inline constexpr int kResidentBlocks = kStates * kParts<Value> == 4 ? 3 : 1;

/// Shared memory. Arrays of a row of channels for each step, B and C, and the sums of each warp for dB and dC.
struct AdjointTile {
  float *delta, *u, *dy, *y, *e, *q, *B, *C, *sums;
  /// Floats of dB and dC together in one step of one warp.
  int sum_width;

  __device__ AdjointTile(float* memory, const ScanCut& cut, int parts) {
    const int entries = kTileSteps * cut.channels, rows = kTileSteps * cut.padded_states * parts;
    delta = memory;
    u = delta + entries;
    dy = u + entries;
    y = dy + entries;
    e = y + entries;
    q = e + entries;
    B = q + entries;
    C = B + rows;
    sums = C + rows;
    sum_width = 2 * cut.padded_states * parts;
  }
  static int64_t bytes(const ScanCut& cut, int parts, int kept_steps) {
    return static_cast<int64_t>(sizeof(float)) *
           (6 * kTileSteps * cut.channels + 2 * (kTileSteps + kScanWarps * kept_steps) * cut.padded_states * parts);
  }
};

/// Where blocks leave their sums; null where nobody asked for the gradient.
struct AdjointPartials {
  float* A = nullptr;           // (sequences, D, N)
  float* B = nullptr;           // (blocks of a group, B, L, G, N), constant: (sequences, D, N)
  float* C = nullptr;           // as B
  float* D = nullptr;           // (sequences, D)
  float* delta_bias = nullptr;  // (sequences, D)
};

static_assert(6 * kTileSteps * (kScanThreads / kWarpSize) >= 2 * kScanThreads, "sums of D and bias fit in the tile");

/// What sum_over_channels leaves in a lane: entries [first, first + live) of the list, if it is the one that writes them.
struct LaneShare {
  int first = 0;
  int live;
  bool writes = true;
};

/// Sums each of v over the lanes of the warp that hold other channels, `lanes` being those of one channel. While there
/// are several values, each exchange halves them: a lane keeps one half and gives the other away.
template <int kLive, int kDistance>
__device__ __forceinline__ void sum_over_channels(float* v, int lanes, LaneShare& share) {
  if constexpr (kDistance > 0) {
    if (kDistance < lanes) return;
    const bool upper = (lane_index() & kDistance) != 0;
    if constexpr (kLive > 1) {
#pragma unroll
      for (int i = 0; i < kLive / 2; ++i) {
        const float kept = upper ? v[i + kLive / 2] : v[i];
        const float given = upper ? v[i] : v[i + kLive / 2];
        v[i] = kept + __shfl_xor_sync(kWholeWarp, given, kDistance);
      }
      share.first += upper ? kLive / 2 : 0;
      share.live = kLive / 2;
      sum_over_channels<kLive / 2, kDistance / 2>(v, lanes, share);
    } else {
      v[0] += __shfl_xor_sync(kWholeWarp, v[0], kDistance);
      share.writes &= !upper;
      sum_over_channels<1, kDistance / 2>(v, lanes, share);
    }
  }
}

/// The two parts of a number, or the one, into a list of floats.
__device__ __forceinline__ void spread(float value, float* to) { to[0] = value; }
__device__ __forceinline__ void spread(Complex value, float* to) { to[0] = value.re, to[1] = value.im; }

template <typename Value, int kStates>
__device__ __forceinline__ void add_own(Value (&to)[kStates], const Value (&from)[kStates]) {
#pragma unroll
  for (int s = 0; s < kStates; ++s) to[s] = to[s] + from[s];
}

}  // namespace statespace::cuda
