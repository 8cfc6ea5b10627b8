/// Chunked state-space-duality scan of Mamba-2, forward and backward, in float or double (Real).
///
///   v = dt + dt_bias     Delta = clamp(dt_softplus ? log1p(exp v) : v, dt_min, dt_max)
///   H[t] = exp(Delta[t] A) H[t-1] + Delta[t] x[t] B[t]'      (P, N) per head
///   y[t] = H[t] C[t] + D x[t]        out[t] = z ? y[t] silu(z[t]) : y[t]
///
/// computed chunk by chunk as a masked attention plus a carried state. Source: Dao & Gu 2024, arXiv:2405.21060,
/// section 6.
///
/// Letters: B batch, L seq_len, H n_heads, P head_dim, N d_state, G n_groups, S rows of states: B,
/// or as many as sequences are packed into one row.
#pragma once

#include <cstdint>
#include <limits>

#include "statespace/sequence_view.h"
#include "statespace/status.h"

namespace statespace {

template <typename Real>
struct SsdChunkScanInputsOf {
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
  const Real* A = nullptr;               // (H)
  SequenceView B;                         // (B, L, G, N)
  SequenceView C;                         // (B, L, G, N)
  const Real* D = nullptr;               // (H), or (H, P) with d_has_head_dim; optional
  bool d_has_head_dim = false;
  SequenceView z;                         // (B, L, H, P), optional
  const Real* dt_bias = nullptr;         // (H), optional
  bool dt_softplus = false;
  Real dt_min = 0;
  Real dt_max = std::numeric_limits<Real>::infinity();
  const Real* initial_states = nullptr;  // (S, H, P, N), optional
  SequenceSpans sequences;
};

template <typename Real>
struct SsdChunkScanArgsOf : SsdChunkScanInputsOf<Real> {
  SequenceTarget out;            // (B, L, H, P)
  Real* final_states = nullptr;  // (S, H, P, N), optional
};

/// Every gradient is optional, overwritten, and has the shape of its input.
template <typename Real>
struct SsdChunkScanBackwardArgsOf : SsdChunkScanInputsOf<Real> {
  SequenceView grad_out;                     // (B, L, H, P)
  const Real* grad_final_states = nullptr;  // (S, H, P, N), optional
  SequenceTarget grad_x;
  SequenceTarget grad_dt;
  Real* grad_A = nullptr;
  SequenceTarget grad_B;
  SequenceTarget grad_C;
  Real* grad_D = nullptr;
  SequenceTarget grad_z;
  Real* grad_dt_bias = nullptr;
  Real* grad_initial_states = nullptr;
};

using SsdChunkScanInputs = SsdChunkScanInputsOf<float>;
using SsdChunkScanArgs = SsdChunkScanArgsOf<float>;
using SsdChunkScanBackwardArgs = SsdChunkScanBackwardArgsOf<float>;

}  // namespace statespace
