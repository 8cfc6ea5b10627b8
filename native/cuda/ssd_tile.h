/// What both directions of the SSD scan share: how work is cut, and the inputs of a tile of steps in shared memory.
///
/// A block takes a tile of rows p and a slice of states n of one head of one sequence and walks over the sequence. The state,
/// its gradient and the outputs are sums of products that never mix two p or two n of the state, so tiles and slices
/// stand alone; what they have in common, they add up.
#pragma once

#include "activations.h"
#include "scan_value.h"
#include "sequences.h"
#include "statespace/ssd_chunk_scan.h"
#include "storage.h"

namespace statespace::cuda {

inline constexpr int kSsdThreads = 128;
/// Steps of a tile: as many as a warp has lanes.
inline constexpr int kSsdSteps = kWarpSize;
/// Rows p of a tile.
inline constexpr int kSsdRows = 64;
/// Tiles whose rows are states keep their steps so far apart: neighbouring states then lie in different banks.
inline constexpr int kSsdPitch = kSsdSteps + 1;

/// How the work of a call is cut.
struct SsdCut {
  int64_t row_tiles = 0;
  int64_t slices = 0;
  /// Steps of a tile, at most kSsdSteps: the call's chunk size bounds it.
  int steps = kSsdSteps;
};

inline int tile_steps(const SsdChunkScanInputs& args) {
  return static_cast<int>(args.chunk_size < kSsdSteps ? args.chunk_size : kSsdSteps);
}

inline SsdCut cut_ssd(const SsdChunkScanInputs& args, int states) {
  const int64_t slices = ceil_divide<int64_t>(args.d_state, states);
  return {ceil_divide<int64_t>(args.head_dim, kSsdRows), slices > 0 ? slices : 1,
          tile_steps(args)};
}

/// One piece of work: the first row and the first state of a tile and slice of a head.
struct SsdItem {
  int64_t sequence;
  int64_t head;
  int64_t group;
  int64_t row;
  int64_t state;
  int64_t slice;
};

__device__ __forceinline__ SsdItem ssd_item(const SsdChunkScanInputs& args, const SsdCut& cut, int64_t item,
                                            int states) {
  const int64_t slice = item % cut.slices, tile = item / cut.slices % cut.row_tiles;
  const int64_t rest = item / (cut.slices * cut.row_tiles), head = rest % args.n_heads;
  return {rest / args.n_heads, head, head / (args.n_heads / args.n_groups), tile * kSsdRows, slice * states, slice};
}

/// Delta of step `step` of a head.
template <Format kFormat>
__device__ __forceinline__ float ssd_delta(const SsdChunkScanInputs& args, int64_t batch, int64_t step, int64_t head) {
  float v = load_entry<kFormat>(args.dt, row_offset(args.dt, batch, step) + head * args.dt.inner_stride);
  if (args.dt_bias != nullptr) v += args.dt_bias[head];
  if (args.dt_softplus) v = softplus(v);
  return v < args.dt_min ? args.dt_min : v > args.dt_max ? args.dt_max : v;
}

/// Inclusive sum over the lanes of a warp up to each one.
__device__ __forceinline__ double running_sum(double value) {
#pragma unroll
  for (int distance = 1; distance < kWarpSize; distance *= 2) {
    const double before = __shfl_up_sync(kWholeWarp, value, distance);
    if (lane_index() >= distance) value += before;
  }
  return value;
}

/// alpha of the steps of a tile in two floats each. Decays are exponentials of differences of alpha, in which the first digits
/// cancel: with one float each they would be wrong by 1e-5 and more.
template <int kSteps>
struct LogDecays {
  float high[kSteps];
  float low[kSteps];

  __device__ void set(int step, double alpha) {
    high[step] = static_cast<float>(alpha);
    low[step] = static_cast<float>(alpha - high[step]);
  }
  /// exp(alpha_l - alpha_s).
  __device__ float between(int l, int s) const { return expf((high[l] - high[s]) + (low[l] - low[s])); }
};

/// Delta and alpha of a step of the tile, by the lanes of the first warp.
struct StepDecay {
  float delta;
  double alpha;
  /// alpha of the tile's last step.
  double last;
};

template <Format kFormat>
__device__ __forceinline__ StepDecay step_decay(const SsdChunkScanInputs& args, const SsdItem& item, int64_t batch,
                                                int64_t begin, int count) {
  const int t = lane_index();
  const float delta = t < count ? ssd_delta<kFormat>(args, batch, begin + t, item.head) : 0.0f;
  const double alpha = running_sum(static_cast<double>(delta) * args.A[item.head]);
  // The lanes behind the last step add nothing, but in another order.
  return {delta, alpha, __shfl_sync(kWholeWarp, alpha, count - 1)};
}

/// Offset of entry (o, i) of a row that begins at `row`.
template <typename Tensor>
__device__ __forceinline__ int64_t entry_offset(const Tensor& tensor, int64_t row, int64_t outer, int64_t inner) {
  return row + outer * tensor.outer_stride + inner * tensor.inner_stride;
}

/// tile[t][p] = rows `first_row`.. of head `head` at `count` steps from `step` on; 0 beyond the tensor.
template <Format kFormat>
__device__ __forceinline__ void load_ssd_rows(const SequenceView& view, int64_t batch, int64_t step, int count,
                                              const SsdItem& item, int64_t head_dim, float* tile) {
  for (int i = static_cast<int>(threadIdx.x); i < kSsdSteps * kSsdRows; i += kSsdThreads) {
    const int t = i / kSsdRows;
    const int64_t p = item.row + i % kSsdRows;
    tile[i] = t < count && p < head_dim
                  ? load_entry<kFormat>(view, entry_offset(view, row_offset(view, batch, step + t), item.head, p))
                  : 0.0f;
  }
}

/// tile[n * kSsdPitch + t] = states `item.state`.. of B or C at `count` steps from `step` on; 0 beyond the tensor.
template <Format kFormat, int kStates>
__device__ __forceinline__ void load_ssd_states(const SequenceView& view, int64_t batch, int64_t step, int count,
                                                const SsdItem& item, int64_t d_state, float* tile) {
  for (int i = static_cast<int>(threadIdx.x); i < kSsdSteps * kStates; i += kSsdThreads) {
    const int t = i / kStates, n = i % kStates;
    tile[n * kSsdPitch + t] =
        t < count && item.state + n < d_state
            ? load_entry<kFormat>(view,
                                  entry_offset(view, row_offset(view, batch, step + t), item.group, item.state + n))
            : 0.0f;
  }
}

/// What every pass over a call's sequences needs.
struct SsdPass {
  SsdCut cut;
  SequenceChunks chunks;
  /// (chunks, H, P, N): where the forward pass leaves the state before each tile; null when nobody asks.
  float* states = nullptr;
};

/// Runs the forward kernels on arguments whose sequences and strides are placed; `out` may be absent.
Status run_ssd(const SsdChunkScanArgs& args, Format format, const DeviceSequences& sequences, float* states) noexcept;

/// Puts the real strides in the place of those of outer axes without gaps.
inline void place_strides(SsdChunkScanInputs& args) {
  for (SequenceView* view : {&args.x, &args.z}) *view = with_outer_stride(*view, args.head_dim);
  for (SequenceView* view : {&args.B, &args.C}) *view = with_outer_stride(*view, args.d_state);
}

/// D of row p of a head; 0 without one.
__device__ __forceinline__ float skip_of(const SsdChunkScanInputs& args, int64_t head, int64_t p) {
  if (args.D == nullptr) return 0.0f;
  return args.D[args.d_has_head_dim ? head * args.head_dim + p : head];
}

/// Writes out = (y + D x) silu(z).
template <Format kFormat>
__device__ __forceinline__ void store_ssd_output(const SsdChunkScanArgs& args, int64_t batch, int64_t step, int64_t head,
                                             int64_t p, float y, float x) {
  float out = y + skip_of(args, head, p) * x;
  if (args.z.data != nullptr) {
    out *= silu(load_entry<kFormat>(args.z, entry_offset(args.z, row_offset(args.z, batch, step), head, p)));
  }
  store_entry<kFormat>(args.out, entry_offset(args.out, row_offset(args.out, batch, step), head, p), out);
}

}  // namespace statespace::cuda
