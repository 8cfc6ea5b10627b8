/// Adjoint of one chunk of one head of the diagonal SSD scan. With e the gradient of y, g[t] that of H[t], and
/// a[t,n] = exp(Delta[t] A[n]); sums over p are sums over the channels of the head:
///
///   g[t,p,n] = e[t,p] C[t,n] + a[t+1,n] g[t+1,p,n]        inner[t,p] = sum_n g[t,p,n] B[t,n]
///   dx = Delta inner + D e                                dC[t,n] = sum_p e[t,p] H[t,p,n]
///   dB[t,n] = Delta[t] sum_p x[t,p] g[t,p,n]              r[t,n] = a[t,n] sum_p g[t,p,n] H[t-1,p,n]
///   dDelta[t] = sum_p x[t,p] inner[t,p] + sum_n A[n] r[t,n]              dA[n] = sum_t Delta[t] r[t,n]
///
/// For a few states of a panel of channels at a time: forward again from the state before the chunk, which leaves the
/// states before each step in L1, then backward. Sums over channels stay vectors, one lane per channel, until the block
/// of heads is done. Oracle: packages/ssd-core diagonalSsdBackwardRef.
#include "diagonal_ssd_adjoint.h"

#include "lane_sums.h"
#include "vector_math.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

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

/// Vectors of states that the loops take together.
constexpr int kAdjointVectors = kPanelVectors == 4 ? 8 : 4;

void adjoint_panel(const PanelAdjoint& a, int64_t q, int64_t vectors, int64_t d_state, bool output, const float* state,
                   float* grad_state) noexcept {
  if (vectors == 1) return adjoint_groups<4, 1>(a, q, d_state, 0, output, state, grad_state);
  if (vectors == 2) return adjoint_groups<kAdjointVectors / 2, 2>(a, q, d_state, 0, output, state, grad_state);
  if constexpr (kPanelVectors == 4) {
    if (vectors == 3) return adjoint_groups<kAdjointVectors / 4, 3>(a, q, d_state, 0, output, state, grad_state);
    return adjoint_groups<kAdjointVectors / 4, 4>(a, q, d_state, 0, output, state, grad_state);
  }
}

STATESPACE_INLINE const float* channels_at(const SequenceView& view, const SsdItem& item, int64_t t, int64_t offset) {
  return row_at(view, item.sequence.batch, t) + offset;
}

void load_drive(const DiagonalPass& pass, const SsdItem& item, int64_t head, int64_t begin, int64_t q,
                const float* delta, const DiagonalSpace& space) noexcept {
  const int64_t P = pass.args.head_dim, channels = pass.sizes.channels;
  for (int64_t t = 0; t < q; ++t) {
    const float* x = channels_at(pass.args.x, item, begin + t, head * P);
    for (int64_t p = 0; p < P; p += kLanes) {
      store(space.drive + t * channels + p, load_rest(x + p, P - p) * delta[t]);
    }
  }
}

STATESPACE_INLINE Floats skip_weight(const DiagonalSsdBackwardArgs& args, int64_t head, int64_t p) {
  if (args.D == nullptr) return Floats{};
  const int64_t P = args.head_dim;
  return args.d_has_head_dim ? load_rest(args.D + head * P + p, P - p) : broadcast(args.D[head]);
}

/// e = grad_out silu(z), inner = 0, and y = D x when the gate's gradient needs it.
void load_gradient(const DiagonalPass& pass, const SsdItem& item, int64_t head, int64_t begin, int64_t q, bool output,
                   const DiagonalSpace& space) noexcept {
  const DiagonalSsdBackwardArgs& args = pass.args;
  const int64_t P = args.head_dim, channels = pass.sizes.channels;
  for (int64_t t = 0; t < q; ++t) {
    const float* grad = channels_at(args.grad_out, item, begin + t, head * P);
    const float* z = args.z.data == nullptr ? nullptr : channels_at(args.z, item, begin + t, head * P);
    const float* x = channels_at(args.x, item, begin + t, head * P);
    for (int64_t p = 0; p < P; p += kLanes) {
      Floats value = load_rest(grad + p, P - p);
      if (z != nullptr) value *= silu(load_rest(z + p, P - p));
      const int64_t at = t * channels + p;
      store(space.dy + at, value);
      store(space.inner + at, Floats{});
      if (!output) continue;
      store(space.y + at, args.D == nullptr ? Floats{} : skip_weight(args, head, p) * load_rest(x + p, P - p));
    }
  }
}

/// dx = Delta inner + D e and dz = grad_out y silu'(z); adds x . inner to the lanes of `slope` and e x to grad_D's sums.
void store_channels(const DiagonalPass& pass, const SsdItem& item, int64_t head, int64_t begin, int64_t q,
                    const float* delta, bool output, const DiagonalSpace& space) noexcept {
  const DiagonalSsdBackwardArgs& args = pass.args;
  const int64_t P = args.head_dim, channels = pass.sizes.channels;
  double* const sums = pass.sums_of(item, head);
  for (int64_t p = 0; p < P; p += kLanes) {
    const int64_t rest = P - p;
    const Floats skip = skip_weight(args, head, p);
    Floats total = {};
    for (int64_t t = 0; t < q; ++t) {
      const int64_t at = ((item.sequence.batch * args.seq_len + begin + t) * args.n_heads + head) * P + p;
      const Floats x = load_rest(channels_at(args.x, item, begin + t, head * P) + p, rest);
      const Floats e = load(space.dy + t * channels + p), inner = load(space.inner + t * channels + p);
      total = fma(e, x, total);
      store(space.slope + t * kLanes, fma(x, inner, load(space.slope + t * kLanes)));
      if (args.grad_x != nullptr) store_rest(args.grad_x + at, fma(inner, broadcast(delta[t]), skip * e), rest);
      if (!output) continue;
      const Floats z = load_rest(channels_at(args.z, item, begin + t, head * P) + p, rest);
      const Floats grad = load_rest(channels_at(args.grad_out, item, begin + t, head * P) + p, rest);
      store_rest(args.grad_z + at, grad * load(space.y + t * channels + p) * silu_derivative(z), rest);
    }
    for (int64_t i = 0; i < smaller<int64_t>(rest, kLanes); ++i) sums[p + i] += static_cast<double>(total[i]);
  }
}

/// The gradients of the raw steps from the lanes of `slope`, and the sums of those of A and dt_bias.
void store_steps(const DiagonalPass& pass, const SsdItem& item, int64_t head, int64_t begin, int64_t q,
                 const float* raw, const DiagonalSpace& space) noexcept {
  const DiagonalSsdBackwardArgs& args = pass.args;
  double* const sums = pass.sums_of(item, head) + args.head_dim;
  for (int64_t n = 0; n < args.d_state; n += kLanes) {
    const Floats total = lane_sums<kLanes>(space.grad_A + n * kLanes);
    for (int64_t i = 0; i < smaller<int64_t>(args.d_state - n, kLanes); ++i) {
      sums[n + i] += static_cast<double>(total[i]);
    }
  }
  double grad_bias = 0;
  for (int64_t t = 0; t < q; t += kLanes) {
    const Floats v = load(raw + t);
    const Floats free = args.dt_softplus ? softplus(v) : v;
    const Floats curve = args.dt_softplus ? sigmoid(v) : broadcast(1.0f);
    const Floats slope = select((free < args.dt_min) | (free > args.dt_max), Floats{}, curve);
    const Floats grad = slope * lane_sums<kLanes>(space.slope + t * kLanes);
    for (int64_t i = 0; i < smaller<int64_t>(q - t, kLanes); ++i) {
      grad_bias += static_cast<double>(grad[i]);
      if (args.grad_dt == nullptr) continue;
      args.grad_dt[(item.sequence.batch * args.seq_len + begin + t + i) * args.n_heads + head] = grad[i];
    }
  }
  sums[args.d_state] += grad_bias;
}

/// Rows of the chunk ahead that the adjoint reads or writes; none where it has fewer steps than this one.
RowsAhead rows_ahead(const DiagonalPass& pass, const SsdItem& item, const NextChunk& next, int64_t q,
                     int64_t p) noexcept {
  const DiagonalSsdBackwardArgs& args = pass.args;
  RowsAhead ahead;
  if (next.steps < q) return ahead;
  const int64_t inner = args.n_heads * args.head_dim, batch = item.sequence.batch;
  const int64_t offset = next.head * args.head_dim + p;
  ahead.add(args.x, batch, next.begin, offset);
  ahead.add(args.grad_out, batch, next.begin, offset);
  ahead.add(args.grad_x, inner, args.seq_len, batch, next.begin, offset);
  ahead.add(args.z, batch, next.begin, offset);
  ahead.add(args.grad_z, inner, args.seq_len, batch, next.begin, offset);
  return ahead;
}

/// What a panel's recurrence reads, from channel p on.
PanelSteps panel_steps(const DiagonalPass& pass, const SsdItem& item, int64_t begin, int64_t p,
                       const DiagonalSpace& space, const RowsAhead& ahead) noexcept {
  const DiagonalSsdBackwardArgs& args = pass.args;
  const int64_t weights = item.group * args.d_state;
  return {space.decays,
          pass.sizes.row,
          channels_at(args.B, item, begin, weights),
          args.B.len_stride,
          channels_at(args.C, item, begin, weights),
          args.C.len_stride,
          space.drive + p,
          space.y + p,
          pass.sizes.channels,
          ahead};
}

}  // namespace

int64_t DiagonalSpace::lay_out(const SsdPlan& plan, const DiagonalSizes& sizes, float* memory) noexcept {
  int64_t used = 0;
  const auto take = [&](int64_t count) noexcept {
    float* part = memory == nullptr ? nullptr : memory + used;
    used += round_up(count, 16);
    return part;
  };
  const int64_t q = plan.chunk, heads = plan.heads_per_block;
  grad_states = take(heads * sizes.state_size);
  boundaries = take(heads * sizes.segments * sizes.state_size);
  states = take(heads * sizes.segment * sizes.state_size);
  grad_B = take(q * sizes.sums_step), grad_C = take(q * sizes.sums_step);
  decays = take(q * sizes.row);
  drive = take(q * sizes.channels), dy = take(q * sizes.channels);
  inner = take(q * sizes.channels), y = take(q * sizes.channels);
  slope = take(kMaxChunk * kLanes), grad_A = take(sizes.row * kLanes);
  history = take(q * kAdjointVectors * kLanes);
  return used;
}

void advance_diagonal(const DiagonalPass& pass, const SsdItem& item, int64_t head, int64_t begin, int64_t q,
                      const NextChunk& next, const DiagonalSpace& space, const float* from, float* to) noexcept {
  const DiagonalSsdBackwardArgs& args = pass.args;
  const int64_t N = args.d_state;
  if (N == 0) return;
  alignas(64) float raw[kMaxChunk], delta[kMaxChunk];
  step_sizes(args, item.sequence, head, begin, q, raw, delta);
  load_drive(pass, item, head, begin, q, delta, space);
  chunk_decays(args.A + head * N, N, delta, q, space.decays);
  for_state_panels(args.head_dim, [&](int64_t p, int64_t vectors, int64_t) {
    RowsAhead ahead;
    if (next.steps >= q) ahead.add(args.x, item.sequence.batch, next.begin, next.head * args.head_dim + p);
    advance_panel<false>(panel_steps(pass, item, begin, p, space, ahead), q, vectors, N, from + p * N, to + p * N);
  });
}

void adjoint_diagonal(const DiagonalPass& pass, const SsdItem& item, int64_t head, int64_t begin, int64_t q,
                      const NextChunk& next, const DiagonalSpace& space, const float* state,
                      float* grad_state) noexcept {
  const DiagonalSsdBackwardArgs& args = pass.args;
  const int64_t N = args.d_state;
  const bool output = args.z.data != nullptr && args.grad_z != nullptr;
  alignas(64) float raw[kMaxChunk], delta[kMaxChunk];
  step_sizes(args, item.sequence, head, begin, q, raw, delta);
  load_drive(pass, item, head, begin, q, delta, space);
  load_gradient(pass, item, head, begin, q, output, space);
  fill_zero(space.slope, kMaxChunk * kLanes);
  fill_zero(space.grad_A, pass.sizes.row * kLanes);
  if (N > 0) {
    chunk_decays(args.A + head * N, N, delta, q, space.decays);
    for_state_panels(args.head_dim, [&](int64_t p, int64_t vectors, int64_t) {
      const PanelAdjoint panel = {panel_steps(pass, item, begin, p, space, rows_ahead(pass, item, next, q, p)),
                                  space.dy + p,
                                  space.inner + p,
                                  space.grad_B,
                                  space.grad_C,
                                  pass.sizes.sums_step,
                                  delta,
                                  args.A + head * N,
                                  space.slope,
                                  space.grad_A,
                                  space.history};
      adjoint_panel(panel, q, vectors, N, output, state + p * N, grad_state + p * N);
    });
  }
  store_channels(pass, item, head, begin, q, delta, output, space);
  store_steps(pass, item, head, begin, q, raw, space);
}

}  // namespace statespace::STATESPACE_ISA_NS
