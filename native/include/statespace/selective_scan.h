/// Selective scan of Mamba-1, forward and backward, real A, float32.
///
///   v = delta + delta_bias         Delta = delta_softplus ? log1p(exp v) : v     (linear above v = 20)
///   h[t] = exp(Delta[t] A) h[t-1] + Delta[t] u[t] B[t]                           per channel and state
///   y[t] = sum_n C[t,n] h[t,n] + D u[t]          out[t] = z ? y[t] silu(z[t]) : y[t]
///
/// Source: Gu & Dao 2023, arXiv:2312.00752, Algorithm 2. Gradients: reverse sweep with
///   g[t] = dy[t] C[t] + exp(Delta[t+1] A) g[t+1],  p[t] = exp(Delta[t] A) h[t-1]
///   dDelta[t] = u[t] <g,B> + <g, A p>,  dA = sum Delta g p,  dB = sum_d Delta u g,  dC = sum_d dy h.
///
/// Letters: B batch, L seq_len, D dim (channels), N d_state, G groups of B or C, S packed sequences.
#pragma once

#include <cstdint>

#include "statespace/sequence_view.h"
#include "statespace/status.h"

namespace statespace {

/// Largest d_state that the scan accepts.
inline constexpr int64_t kSelectiveScanMaxState = 256;

/// Steps between two checkpoints of the state.
inline constexpr int64_t kSelectiveScanChunk = 16;

struct SelectiveScanInputs {
  int64_t batch = 0;
  int64_t seq_len = 0;
  int64_t dim = 0;
  int64_t d_state = 0;
  /// Groups G of a variable B (B, L, G, N), G divides dim; 0 for a constant B (D, N).
  int64_t b_groups = 1;
  int64_t c_groups = 1;

  SequenceView u;                         // (B, L, D)
  SequenceView delta;                     // (B, L, D), before bias and softplus
  const float* A = nullptr;               // (D, N)
  SequenceView B;                         // (B, L, G, N), or (D, N) contiguous
  SequenceView C;                         // (B, L, G, N), or (D, N) contiguous
  const float* D = nullptr;               // (D), optional
  SequenceView z;                         // (B, L, D), optional
  const float* delta_bias = nullptr;      // (D), optional
  const float* initial_state = nullptr;   // (B, D, N) or (S, D, N), optional
  bool delta_softplus = false;
  PackedSequences packed;
};

struct SelectiveScanArgs : SelectiveScanInputs {
  float* out = nullptr;         // (B, L, D)
  float* last_state = nullptr;  // (B, D, N) or (S, D, N), optional
  /// State before every chunk, selective_scan_checkpoint_size() floats, optional: lets the backward pass skip its
  /// own forward sweep.
  float* checkpoints = nullptr;
};

/// Every gradient is optional, contiguous, overwritten, and has the shape of its input.
struct SelectiveScanBackwardArgs : SelectiveScanInputs {
  SequenceView grad_out;                   // (B, L, D)
  const float* grad_last_state = nullptr;  // (B, D, N) or (S, D, N), optional
  /// Written by the forward pass over the same inputs; optional.
  const float* checkpoints = nullptr;
  float* grad_u = nullptr;
  float* grad_delta = nullptr;
  float* grad_A = nullptr;
  float* grad_B = nullptr;
  float* grad_C = nullptr;
  float* grad_D = nullptr;
  float* grad_z = nullptr;
  float* grad_delta_bias = nullptr;
  float* grad_initial_state = nullptr;
};

/// Floats in `checkpoints`: (rows, N, D), one row per chunk of each sequence. Row of chunk c: in batch b,
/// b * ceil(L / 16) + c; in packed sequence s that begins at step t, t / 16 + s + c.
inline int64_t selective_scan_checkpoint_size(const SelectiveScanInputs& args) noexcept {
  const int64_t rows = args.packed.offsets != nullptr
                           ? args.seq_len / kSelectiveScanChunk + args.packed.count
                           : args.batch * ((args.seq_len + kSelectiveScanChunk - 1) / kSelectiveScanChunk);
  return rows * args.d_state * args.dim;
}

}  // namespace statespace
