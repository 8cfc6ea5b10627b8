/// What the causal convolutions share: tables of weights by tap, and inputs that may lie before the sequence.
#pragma once

#include "argument_checks.h"
#include "scan_math.h"
#include "statespace/causal_conv1d.h"
#include "stored_rows.h"

namespace statespace::STATESPACE_ISA_NS {

/// A stretch of steps [begin, end) of one sequence [first, last).
struct ConvSegment {
  int64_t batch;        // row of (B, L, ...) tensors
  int64_t initial_row;  // rows of state tensors; -1: none
  int64_t final_row;
  int64_t first;
  int64_t last;
  int64_t begin;
  int64_t end;
};

/// Most steps and channels of one piece of work.
struct PieceSize {
  int64_t steps;
  int64_t channels;
};

/// The whole of sequence `index`.
STATESPACE_INLINE ConvSegment conv_sequence(const CausalConv1dInputs& args, int64_t index) {
  const SequenceSpan span = sequence_at(args, index);
  return {span.batch, span.initial_row, span.final_row, span.begin, span.end, span.begin, span.end};
}

/// Entry j of the states of `count` channels from `channel` on, in lanes: states[(index D + channel) (W - 1) + j].
STATESPACE_INLINE Floats load_state(const float* states, int64_t index, int64_t dim, int64_t width, int64_t channel,
                                    int64_t count, int64_t j) {
  float lanes[kLanes] = {};
  const float* from = states + (index * dim + channel) * (width - 1) + j;
  for (int64_t i = 0; i < count; ++i) lanes[i] = from[i * (width - 1)];
  return load(lanes);
}

STATESPACE_INLINE void store_state(float* states, int64_t index, int64_t dim, int64_t width, int64_t channel,
                                   int64_t count, int64_t j, Floats v) {
  float* to = states + (index * dim + channel) * (width - 1) + j;
  for (int64_t i = 0; i < count; ++i) to[i * (width - 1)] = v[i];
}

/// Input of step t, which may lie before the sequence: then the initial state, or zero.
STATESPACE_INLINE Floats load_input(const CausalConv1dInputs& args, const ConvSegment& segment, int64_t t,
                                    int64_t channel, int64_t count) {
  if (t >= segment.first) {
    if (in_place(args.x, 1, args.dim)) return load_lanes(row_at(args.x, segment.batch, t) + channel, count);
    alignas(64) float lanes[kLanes] = {};
    read_rows(args.x, {segment.batch, t, 1, channel, count, args.dim}, lanes, kLanes);
    return load(lanes);
  }
  if (args.initial_states == nullptr || segment.initial_row < 0) return Floats{};
  return load_state(args.initial_states, segment.initial_row, args.dim, args.width, channel, count,
                    t - segment.first + args.width - 1);
}

/// table[w][channel] = weight[channel][w]; rows are `row` floats long, a multiple of kLanes, zero at the end.
STATESPACE_INLINE void fill_taps(const float* weight, int64_t dim, int64_t width, int64_t row, float* table) {
  for (int64_t w = 0; w < width; ++w) {
    for (int64_t d = 0; d < row; ++d) table[w * row + d] = d < dim ? weight[d * width + w] : 0.0f;
  }
}

/// Outputs beyond this many bytes leave the caches before they are read again.
inline constexpr int64_t kStreamBytes = int64_t{32} << 20;

/// Whether rows of `out` are worth storing past the caches, and every vector of them is aligned.
STATESPACE_INLINE bool leaves_caches(const SequenceTarget& out, int64_t dim, int64_t rows) {
  const bool aligned = reinterpret_cast<uintptr_t>(out.data) % sizeof(Floats) == 0 && dim % kLanes == 0 &&
                       out.batch_stride % kLanes == 0 && out.len_stride % kLanes == 0;
  return in_place(out, 1, dim) && aligned && rows * dim * static_cast<int64_t>(sizeof(float)) >= kStreamBytes;
}

}  // namespace statespace::STATESPACE_ISA_NS
