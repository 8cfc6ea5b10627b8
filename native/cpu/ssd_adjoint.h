/// Backward pass of the SSD scan: memory of one item of work, and the adjoint of one chunk of one head.
#pragma once

#include "ssd_chunk.h"

namespace statespace::STATESPACE_ISA_NS {

/// Sizes of one backward call, by shape alone.
struct AdjointSizes {
  int64_t width;       // steps of a chunk in whole vectors
  int64_t channels;    // head_dim in whole vectors
  int64_t row;         // d_state in whole vectors
  int64_t state_size;  // head_dim * row: states are (P, N) with N filled up with zeros
  int64_t segment;     // chunks whose states are held at a time
  int64_t segments;

  AdjointSizes(const SsdChunkScanInputs& args, const SsdPlan& plan) noexcept;
};

/// Scratch of one worker. Matrices over the steps of a chunk have the row lengths of `AdjointSizes`.
struct AdjointSpace {
  // Of a block of heads.
  float* grad_states;  // (heads, state), gradient of the state after the chunk at hand
  float* boundaries;   // (heads, segments, state), states before each segment
  float* states;       // (heads, segment, state), states before each chunk of the segment at hand
  // Of one chunk and group.
  float* B;             // (q, row)
  float* C;             // (q, row)
  float* transposed_B;  // (N, width)
  float* transposed_C;  // (N, width), when grad_z is wanted
  float* scores;        // (q, width)
  float* grad_B;        // (q, row), summed over the heads of the block
  float* grad_C;        // (q, row)
  float* pair_sums;     // V = E dt (dy x'), summed over the heads of the block, (q, width)
  // Of one chunk and head.
  float* decays;        // E, (q, width)
  float* masked;        // scores E, (q, width)
  float* products;      // dy x', (q, width)
  float* dy;            // (q, channels)
  float* dy_decayed;    // O dy, (q, channels)
  float* drive;         // dt x, (q, channels)
  float* decayed;       // R dt x, (q, channels)
  float* by_step;       // (q, channels), what `transposed_q` becomes
  float* transposed_x;  // (P, width)
  float* transposed_q;  // (P, width)
  float* carried;       // O dy H, (q, row)

  /// Takes its parts from `memory`, or from nothing; returns how many floats they need.
  int64_t lay_out(const SsdPlan& plan, const AdjointSizes& sizes, int64_t d_state, float* memory) noexcept;
};

/// One backward call.
struct AdjointPass {
  const SsdChunkScanBackwardArgs& args;
  const SsdPlan& plan;
  const AdjointSizes& sizes;
  /// (sequences, H, P + 2): sums over the steps of a sequence, of grad_D by channel, of grad_A and of grad_dt_bias.
  double* sums;

  double* sums_of(const SsdItem& item, int64_t head) const noexcept {
    return sums + (item.sequence_index * args.n_heads + head) * (args.head_dim + 2);
  }
};

/// Copies rows of B of a chunk into `space`.
void load_chunk_B(const AdjointPass& pass, const SsdItem& item, int64_t begin, int64_t q,
                  const AdjointSpace& space) noexcept;

/// Copies B and C of a chunk, computes the scores and clears grad_B and grad_C.
void load_chunk(const AdjointPass& pass, const SsdItem& item, int64_t begin, int64_t q,
                const AdjointSpace& space) noexcept;

/// to = state after the chunk, from the state before it; `to` may be `from`. Needs B in `space`.
void advance_state(const AdjointPass& pass, const SsdItem& item, int64_t head, int64_t begin, int64_t q,
                   const AdjointSpace& space, const float* from, float* to) noexcept;

/// Adds what passes within the chunk to grad_B and grad_C, after all heads: V B and V' C are linear in V.
void add_pair_sums(const AdjointPass& pass, int64_t q, const AdjointSpace& space) noexcept;

/// Gradients of one chunk and head; `grad_state` goes from after the chunk to before it, `state` is the one before it.
void adjoint_chunk(const AdjointPass& pass, const SsdItem& item, int64_t head, int64_t begin, int64_t q,
                   const AdjointSpace& space, const float* state, float* grad_state) noexcept;

}  // namespace statespace::STATESPACE_ISA_NS
