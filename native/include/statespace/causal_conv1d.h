/// Causal depthwise convolution along the sequence, forward and backward, float32.
///
///   pre[t] = bias + sum_w weight[w] x[t - W + 1 + w]      out = silu(pre) or pre
///
/// Inputs before the first step come from initial_states (oldest first) or are zero. Gradients, with
/// d = grad_out silu'(pre):  dbias = sum d,  dweight[w] = sum d[t] x[t-W+1+w],  dx[s] = sum_w weight[w] d[s+W-1-w];
/// the same dx at negative s is the gradient of the initial states.
///
/// Letters: B batch, L seq_len, D dim (channels), W width, S packed sequences.
#pragma once

#include <cstdint>

#include "statespace/activation.h"
#include "statespace/sequence_view.h"
#include "statespace/status.h"

namespace statespace {

/// Largest width that the convolution accepts.
inline constexpr int64_t kCausalConv1dMaxWidth = 4096;

struct CausalConv1dInputs {
  int64_t batch = 0;
  int64_t seq_len = 0;
  int64_t dim = 0;
  int64_t width = 0;

  SequenceView x;                         // (B, L, D)
  const float* weight = nullptr;          // (D, W)
  const float* bias = nullptr;            // (D), optional
  const float* initial_states = nullptr;  // (B, D, W-1) or (S, D, W-1), optional
  Activation activation = Activation::kNone;
  PackedSequences packed;
};

struct CausalConv1dArgs : CausalConv1dInputs {
  float* out = nullptr;           // (B, L, D)
  float* final_states = nullptr;  // (B, D, W-1) or (S, D, W-1), optional
};

/// Every gradient is optional, contiguous, overwritten, and has the shape of its input.
struct CausalConv1dBackwardArgs : CausalConv1dInputs {
  SequenceView grad_out;                     // (B, L, D)
  const float* grad_final_states = nullptr;  // (B, D, W-1) or (S, D, W-1), optional
  float* grad_x = nullptr;
  float* grad_weight = nullptr;
  float* grad_bias = nullptr;
  float* grad_initial_states = nullptr;
};

}  // namespace statespace
