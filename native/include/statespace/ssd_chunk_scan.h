/// Chunked state-space-duality scan of Mamba-2, forward and backward, float32.
///
///   v = dt + dt_bias     Delta = clamp(dt_softplus ? log1p(exp v) : v, dt_min, dt_max)
///   H[t] = exp(Delta[t] A) H[t-1] + Delta[t] x[t] B[t]'      (P, N) per head
///   y[t] = H[t] C[t] + D x[t]        out[t] = z ? y[t] silu(z[t]) : y[t]
///
/// computed chunk by chunk as a masked attention plus a carried state. Source: Dao & Gu 2024, arXiv:2405.21060,
/// section 6.
///
/// Letters: B batch, L seq_len, H n_heads, P head_dim, N d_state, G n_groups, S packed sequences.
#pragma once

#include <cstdint>
#include <limits>

#include "statespace/sequence_view.h"
#include "statespace/status.h"

namespace statespace {

struct SsdChunkScanInputs {
  int64_t batch = 0;
  int64_t seq_len = 0;
  int64_t n_heads = 0;
  int64_t head_dim = 0;
  int64_t d_state = 0;
  /// G divides n_heads; head h uses group h / (n_heads / n_groups).
  int64_t n_groups = 1;
  /// Upper limit of the chunk length; the result does not depend on it beyond rounding.
  int64_t chunk_size = 64;

  SequenceView x;                         // (B, L, H, P)
  SequenceView dt;                        // (B, L, H), before bias and softplus
  const float* A = nullptr;               // (H)
  SequenceView B;                         // (B, L, G, N)
  SequenceView C;                         // (B, L, G, N)
  const float* D = nullptr;               // (H), or (H, P) with d_has_head_dim; optional
  bool d_has_head_dim = false;
  SequenceView z;                         // (B, L, H, P), optional
  const float* dt_bias = nullptr;         // (H), optional
  bool dt_softplus = false;
  float dt_min = 0.0f;
  float dt_max = std::numeric_limits<float>::infinity();
  const float* initial_states = nullptr;  // (B, H, P, N) or (S, H, P, N), optional
  PackedSequences packed;
};

struct SsdChunkScanArgs : SsdChunkScanInputs {
  float* out = nullptr;           // (B, L, H, P)
  float* final_states = nullptr;  // (B, H, P, N) or (S, H, P, N), optional
};

/// Every gradient is optional, contiguous, overwritten, and has the shape of its input.
struct SsdChunkScanBackwardArgs : SsdChunkScanInputs {
  SequenceView grad_out;                     // (B, L, H, P)
  const float* grad_final_states = nullptr;  // (B, H, P, N) or (S, H, P, N), optional
  float* grad_x = nullptr;
  float* grad_dt = nullptr;
  float* grad_A = nullptr;
  float* grad_B = nullptr;
  float* grad_C = nullptr;
  float* grad_D = nullptr;
  float* grad_z = nullptr;
  float* grad_dt_bias = nullptr;
  float* grad_initial_states = nullptr;
};

}  // namespace statespace
