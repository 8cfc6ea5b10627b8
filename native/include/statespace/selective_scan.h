/// Selective scan of Mamba-1, forward and backward.
///
///   v = delta + delta_bias         Delta = delta_softplus ? log1p(exp v) : v     (linear above v = 20)
///   h[t] = exp(Delta[t] A) h[t-1] + Delta[t] u[t] B[t]                           per channel and state
///   y[t] = sum_n C[t,n] h[t,n] + D u[t]          out[t] = z ? y[t] silu(z[t]) : y[t]
///
/// Source: Gu & Dao 2023, arXiv:2312.00752, Algorithm 2. Gradients: reverse sweep with
///   g[t] = dy[t] C[t] + exp(Delta[t+1] A) g[t+1],  p[t] = exp(Delta[t] A) h[t-1]
///   dDelta[t] = u[t] <g,B> + <g, A p>,  dA = sum Delta g p,  dB = sum_d Delta u g,  dC = sum_d dy h.
///
/// The real kernels compute in float or double (Real). The complex ones keep one of each pair of conjugate states: A, B,
/// C and the states hold (re, im) pairs of Real, y takes 2 Re(C h), and gradients are dL/dRe + i dL/dIm.
///
/// Letters: B batch, L seq_len, D dim (channels), N d_state, G groups of B or C, S rows of states: B, or as many as
/// sequences are packed into one row.
#pragma once

#include <cstdint>

#include "statespace/sequence_view.h"
#include "statespace/status.h"

namespace statespace {

/// Largest d_state that the scan accepts.
inline constexpr int64_t kSelectiveScanMaxState = 256;

/// Steps between two checkpoints of the state.
inline constexpr int64_t kSelectiveScanChunk = 16;

template <typename Real>
struct SelectiveScanInputsOf {
  int64_t batch = 0;
  int64_t seq_len = 0;
  int64_t dim = 0;
  int64_t d_state = 0;
  /// Groups G of a variable B (B, L, G, N), G divides dim; 0 for a constant B (D, N).
  int64_t b_groups = 1;
  int64_t c_groups = 1;

  SequenceView u;                         // (B, L, D)
  SequenceView delta;                     // (B, L, D), before bias and softplus
  const Real* A = nullptr;                // (D, N)
  SequenceView B;                         // (B, L, G, N), or (D, N) contiguous and of Real
  SequenceView C;                         // (B, L, G, N), or (D, N) contiguous and of Real
  const Real* D = nullptr;                // (D), optional
  SequenceView z;                         // (B, L, D), optional
  const Real* delta_bias = nullptr;       // (D), optional
  const Real* initial_state = nullptr;    // (S, D, N), optional
  bool delta_softplus = false;
  SequenceSpans sequences;
};

template <typename Real>
struct SelectiveScanArgsOf : SelectiveScanInputsOf<Real> {
  SequenceTarget out;          // (B, L, D)
  Real* last_state = nullptr;  // (S, D, N), optional
  /// State before every chunk, selective_scan_checkpoint_size() floats, optional: lets the backward pass skip its
  /// own forward sweep. Only the real float kernel writes and reads it.
  Real* checkpoints = nullptr;
  /// Floats there is room for, at least that size; the kernel sets those that are left over to 0.
  int64_t checkpoint_room = 0;
};

/// Every gradient is optional, overwritten, and has the shape of its input.
template <typename Real>
struct SelectiveScanBackwardArgsOf : SelectiveScanInputsOf<Real> {
  SequenceView grad_out;                  // (B, L, D)
  const Real* grad_last_state = nullptr;  // (S, D, N), optional
  /// Written by the forward pass over the same inputs; optional.
  const Real* checkpoints = nullptr;
  SequenceTarget grad_u;
  SequenceTarget grad_delta;
  Real* grad_A = nullptr;
  SequenceTarget grad_B;  // as B
  SequenceTarget grad_C;  // as C
  Real* grad_D = nullptr;
  SequenceTarget grad_z;
  Real* grad_delta_bias = nullptr;
  Real* grad_initial_state = nullptr;
};

using SelectiveScanInputs = SelectiveScanInputsOf<float>;
using SelectiveScanArgs = SelectiveScanArgsOf<float>;
using SelectiveScanBackwardArgs = SelectiveScanBackwardArgsOf<float>;

/// Floats in `checkpoints`: (rows, N, D), a row for each chunk of each sequence, sequence after sequence.
inline int64_t selective_scan_checkpoint_size(const SelectiveScanInputs& args) noexcept {
  const auto chunks = [](int64_t steps) { return (steps + kSelectiveScanChunk - 1) / kSelectiveScanChunk; };
  int64_t rows = args.batch * chunks(args.seq_len);
  if (args.sequences.spans != nullptr) {
    rows = 0;
    for (int64_t i = 0; i < args.sequences.count; ++i) {
      rows += chunks(args.sequences.spans[i].end - args.sequences.spans[i].begin);
    }
  }
  return rows * args.d_state * args.dim;
}

}  // namespace statespace
