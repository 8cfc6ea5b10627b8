/// What both directions of the selective scan share: how work is cut, and the inputs of 16 steps in shared memory.
///
/// A block takes `channels` neighbouring channels of one sequence. `lanes` neighbouring threads, all of one warp, share a channel: each
/// keeps kStates of its states in registers. So B and C of a step are read once per block, and sums over
/// the states are sums over lanes. The channels of a block lie in one group of B and one of C: channels are cut into
/// segments that no group boundary crosses.
#pragma once

#include "activations.h"
#include "device.h"
#include "scan_value.h"
#include "sequences.h"
#include "statespace/selective_scan.h"
#include "storage.h"

namespace statespace::cuda {

inline constexpr int kScanThreads = 128;
inline constexpr int kTileSteps = static_cast<int>(kSelectiveScanChunk);

/// How the channels of a call are cut.
struct ScanCut {
  /// Channels without a group boundary between them.
  int64_t segment = 0;
  int64_t blocks_per_segment = 0;
  int64_t blocks = 0;
  /// Threads that share a channel, a power of two, and channels of a block: their product is kScanThreads.
  int lanes = 1;
  int channels = kScanThreads;
  int log2_channels = 7;
  /// States with those that fill up the last lane.
  int padded_states = 0;
};

ScanCut cut_channels(const SelectiveScanInputs& args, int states_per_thread) noexcept;

/// Writes the state before each tile to `checkpoints` (rows, N, D), of numbers like `kind`.
Status write_checkpoints(const SelectiveScanInputs& inputs, float kind, float* checkpoints) noexcept;
Status write_checkpoints(const SelectiveScanInputs& inputs, Complex kind, float* checkpoints) noexcept;

/// The channels of one block.
struct ChannelBlock {
  int64_t first;
  int count;
  int64_t b_group;
  int64_t c_group;
};

__device__ __forceinline__ ChannelBlock channels_of(const SelectiveScanInputs& args, const ScanCut& cut, int64_t block) {
  const int64_t segment = block / cut.blocks_per_segment;
  const int64_t inside = block % cut.blocks_per_segment * cut.channels;
  const int64_t rest = cut.segment - inside;
  const int64_t first = segment * cut.segment + inside;
  return {first, static_cast<int>(rest < cut.channels ? rest : cut.channels),
          args.b_groups > 0 ? first / (args.dim / args.b_groups) : 0,
          args.c_groups > 0 ? first / (args.dim / args.c_groups) : 0};
}

/// Entry (step, channel) of the tile arrays that have a row of channels for each step.
__device__ __forceinline__ int tile_index(const ScanCut& cut, int step, int channel) {
  return (step << cut.log2_channels) + channel;
}

/// Calls visit(step, channel, inside) for all of the block's entries of the tile: neighbouring threads take neighbouring channels.
template <typename Visit>
__device__ __forceinline__ void for_each_entry(const ScanCut& cut, const ChannelBlock& channels, int steps,
                                               const Visit& visit) {
  const int channel = static_cast<int>(threadIdx.x) & (cut.channels - 1);
  for (int step = static_cast<int>(threadIdx.x) >> cut.log2_channels; step < kTileSteps; step += cut.lanes) {
    visit(step, channel, step < steps && channel < channels.count);
  }
}

/// Copies `steps` rows of B or C, kParts numbers to a state, to a tile of kTileSteps rows of `padded` states; zeros beyond them.
template <Format kFormat, typename Value>
__device__ __forceinline__ void load_state_rows(const SequenceView& view, int64_t batch, int64_t step, int steps,
                                                int64_t group, int states, int padded, float* tile) {
  const int width = padded * kParts<Value>, filled = states * kParts<Value>;
  const int64_t base = row_offset(view, batch, step) + group * view.outer_stride;
  for (int i = static_cast<int>(threadIdx.x); i < kTileSteps * width; i += kScanThreads) {
    const int t = i / width, n = i % width;
    // The parts of a number lie side by side, whatever the stride between numbers is.
    const int64_t inside = n / kParts<Value> * view.inner_stride + n % kParts<Value>;
    tile[i] = t < steps && n < filled ? load_entry<kFormat>(view, base + t * view.len_stride + inside) : 0.0f;
  }
}

/// The rows of B and of C that vary with the step.
template <Format kFormat, typename Value>
__device__ __forceinline__ void load_B_and_C(const SelectiveScanInputs& args, const ChannelBlock& channels,
                                             const ScanCut& cut, int64_t batch, int64_t step, int steps, int d_state,
                                             float* B, float* C) {
  if (args.b_groups > 0) {
    load_state_rows<kFormat, Value>(args.B, batch, step, steps, channels.b_group, d_state, cut.padded_states, B);
  }
  if (args.c_groups > 0) {
    load_state_rows<kFormat, Value>(args.C, batch, step, steps, channels.c_group, d_state, cut.padded_states, C);
  }
}

/// Delta of one entry, and where its softplus stood.
struct Step {
  float before_softplus;
  float delta;
};

template <Format kFormat>
__device__ __forceinline__ Step load_step(const SelectiveScanInputs& args, int64_t batch, int64_t step,
                                          int64_t channel) {
  float v = load_entry<kFormat>(args.delta, row_offset(args.delta, batch, step) + channel * args.delta.inner_stride);
  if (args.delta_bias != nullptr) v += args.delta_bias[channel];
  return {v, args.delta_softplus ? softplus(v) : v};
}

/// Entry (batch, step, channel) of u, z, grad_out.
template <Format kFormat>
__device__ __forceinline__ float load_channel(const SequenceView& view, int64_t batch, int64_t step, int64_t channel) {
  return load_entry<kFormat>(view, row_offset(view, batch, step) + channel * view.inner_stride);
}

template <Format kFormat>
__device__ __forceinline__ void store_channel(const SequenceTarget& target, int64_t batch, int64_t step,
                                              int64_t channel, float value) {
  store_entry<kFormat>(target, row_offset(target, batch, step) + channel * target.inner_stride, value);
}

/// The states of one thread: a run of kStates states of one channel.
struct OwnStates {
  int channel;
  int first;
};

template <int kStates>
__device__ __forceinline__ OwnStates own_states(const ScanCut& cut) {
  const int thread = static_cast<int>(threadIdx.x), lane = thread & (cut.lanes - 1);
  return {thread / cut.lanes, lane * kStates};
}

/// The thread's part of row `row` of a (rows, N) array; zeros beyond N, and everywhere when `present` is false.
template <int kStates, typename Value>
__device__ __forceinline__ void load_own(const float* from, int64_t row, int64_t d_state, int first, bool present,
                                         Value (&to)[kStates]) {
#pragma unroll
  for (int s = 0; s < kStates; ++s) {
    to[s] = present && first + s < d_state ? value_at<Value>(from, row * d_state + first + s) : Value{};
  }
}

/// Writes the thread's part of a row of a (rows, N) array.
template <int kStates, typename Value>
__device__ __forceinline__ void store_own(float* to, int64_t row, int64_t d_state, int first, bool present,
                                          const Value (&from)[kStates]) {
#pragma unroll
  for (int s = 0; s < kStates; ++s) {
    if (present && first + s < d_state) put_value_at(to, row * d_state + first + s, from[s]);
  }
}

/// Numbers `from`[0 .. kStates) of a tile row.
template <int kStates, typename Value>
__device__ __forceinline__ void load_tile_row(const float* from, Value (&to)[kStates]) {
#pragma unroll
  for (int s = 0; s < kStates; ++s) to[s] = value_at<Value>(from, s);
}

}  // namespace statespace::cuda
