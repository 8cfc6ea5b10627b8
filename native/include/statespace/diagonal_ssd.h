/// Diagonal state-space-duality scan, forward and backward, of float or double (Real): SSD with a decay for every state.
///
///   v = dt + dt_bias     Delta = clamp(dt_softplus ? log1p(exp v) : v, dt_min, dt_max)
///   H[t,p,n] = exp(Delta[t] A[n]) H[t-1,p,n] + Delta[t] x[t,p] B[t,n]      (P, N) per head
///   y[t] = H[t] C[t] + D x[t]        out[t] = z ? y[t] silu(z[t]) : y[t]
///
/// Source: Hu et al. 2025, arXiv:2510.04944, section 4.
///
/// Letters: B batch, L seq_len, H n_heads, P head_dim, N d_state, G n_groups, S rows of states: B,
/// or as many as sequences are packed into one row.
#pragma once

#include "statespace/ssd_chunk_scan.h"

namespace statespace {

/// The fields and shapes of the SSD scan, except that A is (H, N).
template <typename Real>
struct DiagonalSsdInputsOf : SsdChunkScanInputsOf<Real> {};

template <typename Real>
struct DiagonalSsdArgsOf : DiagonalSsdInputsOf<Real> {
  SequenceTarget out;            // (B, L, H, P)
  Real* final_states = nullptr;  // (S, H, P, N), optional
};

/// Every gradient is optional, overwritten, and has the shape of its input.
template <typename Real>
struct DiagonalSsdBackwardArgsOf : DiagonalSsdInputsOf<Real> {
  SequenceView grad_out;                    // (B, L, H, P)
  const Real* grad_final_states = nullptr;  // (S, H, P, N), optional
  SequenceTarget grad_x;
  SequenceTarget grad_dt;
  Real* grad_A = nullptr;  // (H, N)
  SequenceTarget grad_B;
  SequenceTarget grad_C;
  Real* grad_D = nullptr;
  SequenceTarget grad_z;
  Real* grad_dt_bias = nullptr;
  Real* grad_initial_states = nullptr;
};

using DiagonalSsdInputs = DiagonalSsdInputsOf<float>;
using DiagonalSsdArgs = DiagonalSsdArgsOf<float>;
using DiagonalSsdBackwardArgs = DiagonalSsdBackwardArgsOf<float>;

}  // namespace statespace
