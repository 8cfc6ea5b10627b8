/// The loops of the adjoint of the diagonal SSD scan: one panel of channels, one chunk, a few states at a time.
///
/// Forward again from the state before the chunk, which leaves the states before each step in L1 and gives dC on the
/// way; then backward:  g = e C + R,  inner += g B,  dB += Delta x g,  r = a sum_p g H[t-1],  R = a g.
/// Sums over channels (dB, dC, r) stay vectors, one lane per channel: dB and dC until the block of heads is done, r
/// until the head is.
#pragma once

#include "diagonal_ssd_panel.h"

namespace statespace::STATESPACE_ISA_NS {

/// Vectors of states that the loops take together.
inline constexpr int kAdjointVectors = kPanelVectors == 4 ? 8 : 4;

/// What the loops of one panel read and add to, at its first channel; further rows as in PanelSteps.
struct PanelAdjoint {
  PanelSteps steps;
  const float* dy;
  float* inner;
  float* grad_B;
  float* grad_C;
  int64_t sums_step;
  const float* delta;
  const float* A;
  float* slope;
  float* grad_A;
  float* history;
};

/// Forward over the chunk from `state`: history and grad_C, and the output when the gate's gradient needs it.
template <int K, int V, bool kOutput>
STATESPACE_INLINE void retrace_group(const PanelAdjoint& a, int64_t q, int64_t n, const float* state) {
  const PanelSteps& s = a.steps;
  Floats h[K][V];
#pragma GCC unroll 8
  for (int k = 0; k < K; ++k) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) h[k][v] = load(state + ((n + k) * V + v) * kLanes);
  }
  const float *decays = s.decays + n, *B = s.B + n, *C = s.C + n, *drive = s.drive, *dy = a.dy;
  float *y = s.y, *grad_C = a.grad_C + n * kLanes, *history = a.history;
  const float* ahead = s.ahead.rows(n / K);
  const int64_t ahead_step = s.ahead.step(n / K);
  // Copies: stores of vectors may alias anything, and the compiler would load these again with every step.
  const int64_t row = s.row, B_step = s.B_step, C_step = s.C_step, channels = s.channels, sums_step = a.sums_step;
  for (int64_t t = 0; t < q; ++t) {
    if (ahead != nullptr) {
      fetch_row<V>(ahead);
      ahead += ahead_step;
    }
    Floats input[V], e[V], output[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      input[v] = load(drive + v * kLanes);
      e[v] = load(dy + v * kLanes);
      if (kOutput) output[v] = load(y + v * kLanes);
    }
#pragma GCC unroll 8
    for (int k = 0; k < K; ++k) {
      const Floats decay = broadcast(decays[k]), b = broadcast(B[k]);
      const Floats c = kOutput ? broadcast(C[k]) : Floats{};
      Floats sum = load(grad_C + k * kLanes);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        store(history + (k * V + v) * kLanes, h[k][v]);
        h[k][v] = fma(decay, h[k][v], input[v] * b);
        sum = fma(e[v], h[k][v], sum);
        if (kOutput) output[v] = fma(c, h[k][v], output[v]);
      }
      store(grad_C + k * kLanes, sum);
    }
    if (kOutput) {
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) store(y + v * kLanes, output[v]);
      C += C_step, y += channels;
    }
    decays += row, B += B_step, drive += channels, dy += channels;
    grad_C += sums_step, history += K * V * kLanes;
  }
}

/// Backward over the chunk: `grad_state` goes from after it to before it.
template <int K, int V>
STATESPACE_INLINE void return_group(const PanelAdjoint& a, int64_t q, int64_t n, float* grad_state) {
  const PanelSteps& s = a.steps;
  Floats R[K][V], rate[K], grad_A[K];
#pragma GCC unroll 8
  for (int k = 0; k < K; ++k) {
    rate[k] = broadcast(a.A[n + k]);
    grad_A[k] = load(a.grad_A + (n + k) * kLanes);
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) R[k][v] = load(grad_state + ((n + k) * V + v) * kLanes);
  }
  // Copies: stores of vectors may alias anything, and the compiler would load these again with every step.
  const int64_t row = s.row, B_step = s.B_step, C_step = s.C_step, channels = s.channels, sums_step = a.sums_step;
  const int64_t last = q - 1;
  const float *decays = s.decays + last * row + n, *B = s.B + last * B_step + n, *C = s.C + last * C_step + n;
  const float *drive = s.drive + last * channels, *dy = a.dy + last * channels, *delta = a.delta + last;
  const float* history = a.history + last * K * V * kLanes;
  float *inner = a.inner + last * channels, *slope = a.slope + last * kLanes;
  float* grad_B = a.grad_B + last * sums_step + n * kLanes;
  for (int64_t t = q; t > 0; --t) {
    Floats input[V], e[V], sum_B[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      input[v] = load(drive + v * kLanes);
      e[v] = load(dy + v * kLanes);
      sum_B[v] = load(inner + v * kLanes);
    }
    Floats slopes = load(slope);
    const Floats step = broadcast(*delta);
#pragma GCC unroll 8
    for (int k = 0; k < K; ++k) {
      const Floats decay = broadcast(decays[k]), b = broadcast(B[k]), c = broadcast(C[k]);
      Floats sum = load(grad_B + k * kLanes), carried = {};
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        const Floats g = fma(e[v], c, R[k][v]);
        sum_B[v] = fma(g, b, sum_B[v]);
        sum = fma(input[v], g, sum);
        carried = fma(g, load(history + (k * V + v) * kLanes), carried);
        R[k][v] = decay * g;
      }
      store(grad_B + k * kLanes, sum);
      carried *= decay;
      slopes = fma(rate[k], carried, slopes);
      grad_A[k] = fma(step, carried, grad_A[k]);
    }
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) store(inner + v * kLanes, sum_B[v]);
    store(slope, slopes);
    decays -= row, B -= B_step, C -= C_step, drive -= channels, dy -= channels, inner -= channels, slope -= kLanes;
    grad_B -= sums_step, history -= K * V * kLanes, --delta;
  }
#pragma GCC unroll 8
  for (int k = 0; k < K; ++k) {
    store(a.grad_A + (n + k) * kLanes, grad_A[k]);
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) store(grad_state + ((n + k) * V + v) * kLanes, R[k][v]);
  }
}

template <int K, int V>
STATESPACE_INLINE void adjoint_groups(const PanelAdjoint& a, int64_t q, int64_t d_state, int64_t n, bool output,
                                      const float* state, float* grad_state) {
  for (; n + K <= d_state; n += K) {
    if (output) {
      retrace_group<K, V, true>(a, q, n, state);
    } else {
      retrace_group<K, V, false>(a, q, n, state);
    }
    return_group<K, V>(a, q, n, grad_state);
  }
  if constexpr (K > 1) adjoint_groups<K / 2, V>(a, q, d_state, n, output, state, grad_state);
}

/// Both directions over all states of a panel; `grad_state` goes from after the chunk to before it.
static inline void adjoint_panel(const PanelAdjoint& a, int64_t q, int64_t vectors, int64_t d_state, bool output,
                                 const float* state, float* grad_state) noexcept {
  if (vectors == 1) return adjoint_groups<4, 1>(a, q, d_state, 0, output, state, grad_state);
  if (vectors == 2) return adjoint_groups<kAdjointVectors / 2, 2>(a, q, d_state, 0, output, state, grad_state);
  if constexpr (kPanelVectors == 4) {
    if (vectors == 3) return adjoint_groups<kAdjointVectors / 4, 3>(a, q, d_state, 0, output, state, grad_state);
    return adjoint_groups<kAdjointVectors / 4, 4>(a, q, d_state, 0, output, state, grad_state);
  }
}

}  // namespace statespace::STATESPACE_ISA_NS
