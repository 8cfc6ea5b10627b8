/// One-step updates for decoding: the selective state update of Mamba-1 and Mamba-2, and the update of the causal
/// convolution, in float or double (Real). Both change their state in place.
#pragma once

#include <cstdint>
#include <limits>

#include "statespace/activation.h"
#include "statespace/sequence_view.h"
#include "statespace/status.h"

namespace statespace {

/// Delta = clamp(softplus?(dt + dt_bias), dt_min, dt_max);  h <- exp(Delta A) h + Delta x B;
/// out = <C, h> + D x, times silu(z) when z is given.
///
/// Mamba-1 state (B, D, N) is the case n_heads = D, head_dim = 1 with A (H, 1, N).
/// Rows b of x, dt, B, C, z start at b * <name>_batch_stride; the axes behind the batch are contiguous.
template <typename Real>
struct SelectiveStateUpdateArgsOf {
  int64_t batch = 0;
  int64_t n_heads = 0;
  int64_t head_dim = 0;
  int64_t d_state = 0;
  /// G divides n_heads.
  int64_t n_groups = 1;
  /// Rows of `state`; at least batch when there are no indices.
  int64_t state_rows = 0;

  Real* state = nullptr;                         // (rows, H, P, N)
  const Real* x = nullptr;                       // (B, H, P)
  const Real* dt = nullptr;                      // (B, H), or (B, H, P) with dt_has_head_dim
  const Real* A = nullptr;                       // (H), or (H, P, N) with a_has_state
  const Real* B = nullptr;                       // (B, G, N)
  const Real* C = nullptr;                       // (B, G, N)
  const Real* D = nullptr;                       // (H), or (H, P) with d_has_head_dim; optional
  const Real* z = nullptr;                       // (B, H, P), optional
  const Real* dt_bias = nullptr;                 // (H), or (H, P) with dt_bias_has_head_dim; optional
  const int32_t* state_batch_indices = nullptr;  // (B), optional; negative: padding, output 0
  Real* out = nullptr;                           // (B, H, P), contiguous

  int64_t x_batch_stride = 0;
  int64_t dt_batch_stride = 0;
  int64_t b_batch_stride = 0;
  int64_t c_batch_stride = 0;
  int64_t z_batch_stride = 0;

  bool dt_has_head_dim = false;
  bool a_has_state = false;
  bool d_has_head_dim = false;
  bool dt_bias_has_head_dim = false;
  bool dt_softplus = false;
  Real dt_min = 0;
  Real dt_max = std::numeric_limits<Real>::infinity();
};

/// out[t] = act(bias + sum_w weight[w] xs[t + w]) over xs = [last W-1 inputs, x]; then x enters the state.
///
/// Without cache_seqlens the state is shifted and holds its inputs oldest first. With them it is a ring buffer:
/// the input of step s stands at position s mod S, and cache_seqlens[b] steps have been written.
template <typename Real>
struct CausalConv1dUpdateArgsOf {
  int64_t batch = 0;
  int64_t seq_len = 1;
  int64_t dim = 0;
  int64_t width = 0;
  /// S >= W - 1.
  int64_t state_len = 0;
  /// Rows of `conv_state`; at least batch when there are no indices.
  int64_t state_rows = 0;

  SequenceView x;                // (B, L, D) of Real, unit stride along D
  Real* conv_state = nullptr;    // (rows, D, S)
  const Real* weight = nullptr;  // (D, W)
  const Real* bias = nullptr;    // (D), optional
  Activation activation = Activation::kNone;
  const int32_t* cache_seqlens = nullptr;       // (B), optional; not negative
  const int32_t* conv_state_indices = nullptr;  // (B), optional; negative: padding, output 0
  Real* out = nullptr;                          // (B, L, D), contiguous
};

using SelectiveStateUpdateArgs = SelectiveStateUpdateArgsOf<float>;
using CausalConv1dUpdateArgs = CausalConv1dUpdateArgsOf<float>;

}  // namespace statespace
