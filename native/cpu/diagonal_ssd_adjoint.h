/// Backward pass of the diagonal SSD scan: memory of one item of work, and the adjoint of one chunk of one head.
#pragma once

#include "diagonal_ssd_panel.h"

namespace statespace::STATESPACE_ISA_NS {

/// Sizes of one backward call, by shape alone.
struct DiagonalSizes {
  int64_t channels;    // head_dim in whole vectors
  int64_t row;         // d_state in whole vectors
  int64_t state_size;  // d_state * channels: states lie in panels
  int64_t sums_step;   // floats between steps of `grad_B`: rows of lanes, one more than d_state so that the steps of a
                       // chunk do not fall on the same lines of the cache
  int64_t segment;     // chunks whose states are held at a time
  int64_t segments;

  DiagonalSizes(const DiagonalSsdInputs& args, const SsdPlan& plan) noexcept;
};

/// Scratch of one worker.
struct DiagonalSpace {
  // Of a block of heads.
  float* grad_states;  // (heads, state), gradient of the state after the chunk at hand
  float* boundaries;   // (heads, segments, state), states before each segment
  float* states;       // (heads, segment, state), states before each chunk of the segment at hand
  // Of one chunk and group: a vector for each step and state, whose lanes are yet to be summed.
  float* grad_B;  // (q, row + 1, kLanes), summed over the heads of the block
  float* grad_C;  // (q, row + 1, kLanes)
  // Of one chunk and head.
  float* decays;   // (q, row)
  float* drive;    // Delta x, (q, channels)
  float* dy;       // gradient before the gate, (q, channels)
  float* inner;    // sum over n of g B, (q, channels)
  float* y;        // output before the gate, (q, channels)
  float* slope;    // sum over n of A exp(Delta A) g h, (q, kLanes)
  float* grad_A;   // (row, kLanes)
  float* history;  // states before each step of one group of states

  /// Takes its parts from `memory`, or from nothing; returns how many floats they need.
  int64_t lay_out(const SsdPlan& plan, const DiagonalSizes& sizes, float* memory) noexcept;
};

/// One backward call.
struct DiagonalPass {
  const DiagonalSsdBackwardArgs& args;
  const SsdPlan& plan;
  const DiagonalSizes& sizes;
  /// (sequences, H, P + N + 1): sums over the steps of a sequence, of grad_D by channel, of grad_A and of grad_dt_bias.
  double* sums;

  int64_t sums_size() const noexcept { return args.head_dim + args.d_state + 1; }
  double* sums_of(const SsdItem& item, int64_t head) const noexcept {
    return sums + (item.sequence_index * args.n_heads + head) * sums_size();
  }
};

/// to = state after the chunk, from the state before it; `to` may be `from`.
void advance_diagonal(const DiagonalPass& pass, const SsdItem& item, int64_t head, int64_t begin, int64_t q,
                      const NextChunk& next, const DiagonalSpace& space, const float* from, float* to) noexcept;

/// Gradients of one chunk and head; `grad_state` goes from after the chunk to before it, `state` is the one before it.
void adjoint_diagonal(const DiagonalPass& pass, const SsdItem& item, int64_t head, int64_t begin, int64_t q,
                      const NextChunk& next, const DiagonalSpace& space, const float* state,
                      float* grad_state) noexcept;

}  // namespace statespace::STATESPACE_ISA_NS
