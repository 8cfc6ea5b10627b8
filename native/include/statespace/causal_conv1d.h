/// Causal depthwise convolution along the sequence, forward and backward, in float or double (Real).
///
///   pre[t] = bias + sum_w weight[w] x[t - W + 1 + w]      out = silu(pre) or pre
///
/// Inputs before the first step come from initial_states (oldest first) or are zero. Gradients, with
/// d = grad_out silu'(pre):  dbias = sum d,  dweight[w] = sum d[t] x[t-W+1+w],  dx[s] = sum_w weight[w] d[s+W-1-w];
/// the same dx at negative s is the gradient of the initial states.
///
/// Letters: B batch, L seq_len, D dim (channels), W width, S rows of states: B, or as many as
/// sequences are packed into one row.
#pragma once

#include <cstdint>

#include "statespace/activation.h"
#include "statespace/sequence_view.h"
#include "statespace/status.h"

namespace statespace {

/// Largest width that the convolution accepts.
inline constexpr int64_t kCausalConv1dMaxWidth = 4096;

template <typename Real>
struct CausalConv1dInputsOf {
  int64_t batch = 0;
  int64_t seq_len = 0;
  int64_t dim = 0;
  int64_t width = 0;

  SequenceView x;                         // (B, L, D)
  const Real* weight = nullptr;          // (D, W)
  const Real* bias = nullptr;            // (D), optional
  const Real* initial_states = nullptr;  // (S, D, W-1), optional
  Activation activation = Activation::kNone;
  SequenceSpans sequences;
};

template <typename Real>
struct CausalConv1dArgsOf : CausalConv1dInputsOf<Real> {
  SequenceTarget out;            // (B, L, D)
  Real* final_states = nullptr;  // (S, D, W-1), optional
};

/// Every gradient is optional, overwritten, and has the shape of its input.
template <typename Real>
struct CausalConv1dBackwardArgsOf : CausalConv1dInputsOf<Real> {
  SequenceView grad_out;                     // (B, L, D)
  const Real* grad_final_states = nullptr;  // (S, D, W-1), optional
  SequenceTarget grad_x;
  Real* grad_weight = nullptr;
  Real* grad_bias = nullptr;
  Real* grad_initial_states = nullptr;
};

using CausalConv1dInputs = CausalConv1dInputsOf<float>;
using CausalConv1dArgs = CausalConv1dArgsOf<float>;
using CausalConv1dBackwardArgs = CausalConv1dBackwardArgsOf<float>;

}  // namespace statespace
