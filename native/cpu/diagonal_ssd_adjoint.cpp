/// Adjoint of one chunk of one head of the diagonal SSD scan. With e the gradient of y, g[t] that of H[t], and
/// a[t,n] = exp(Delta[t] A[n]); sums over p are sums over the channels of the head:
///
///   g[t,p,n] = e[t,p] C[t,n] + a[t+1,n] g[t+1,p,n]        inner[t,p] = sum_n g[t,p,n] B[t,n]
///   dx = Delta inner + D e                                dC[t,n] = sum_p e[t,p] H[t,p,n]
///   dB[t,n] = Delta[t] sum_p x[t,p] g[t,p,n]              r[t,n] = a[t,n] sum_p g[t,p,n] H[t-1,p,n]
///   dDelta[t] = sum_p x[t,p] inner[t,p] + sum_n A[n] r[t,n]              dA[n] = sum_t Delta[t] r[t,n]
///
/// diagonal_ssd_adjoint_panel.h has the loops over steps and states; here is what stands before and behind them.
/// Oracle: packages/ssd-core diagonalSsdBackwardRef.
#include "diagonal_ssd_adjoint.h"

#include "diagonal_ssd_adjoint_panel.h"
#include "lane_sums.h"
#include "vector_math.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

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

/// dx = Delta inner + D e and dz = grad_out y silu'(z); adds x . inner to the lanes of `slope` and e x to the sums of
/// grad_D.
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
      const int64_t batch = item.sequence.batch, at = head * P + p;
      const Floats x = load_rest(channels_at(args.x, item, begin + t, head * P) + p, rest);
      const Floats e = load(space.dy + t * channels + p), inner = load(space.inner + t * channels + p);
      total = fma(e, x, total);
      store(space.slope + t * kLanes, fma(x, inner, load(space.slope + t * kLanes)));
      if (args.grad_x.data != nullptr) {
        store_rest(row_at(args.grad_x, batch, begin + t) + at, fma(inner, broadcast(delta[t]), skip * e), rest);
      }
      if (!output) continue;
      const Floats z = load_rest(channels_at(args.z, item, begin + t, head * P) + p, rest);
      const Floats grad = load_rest(channels_at(args.grad_out, item, begin + t, head * P) + p, rest);
      store_rest(row_at(args.grad_z, batch, begin + t) + at,
                 grad * load(space.y + t * channels + p) * silu_derivative(z), rest);
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
      if (args.grad_dt.data != nullptr) row_at(args.grad_dt, item.sequence.batch, begin + t + i)[head] = grad[i];
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
  const int64_t batch = item.sequence.batch;
  const int64_t offset = next.head * args.head_dim + p;
  ahead.add(args.x, batch, next.begin, offset);
  ahead.add(args.grad_out, batch, next.begin, offset);
  ahead.add(args.grad_x, batch, next.begin, offset);
  ahead.add(args.z, batch, next.begin, offset);
  ahead.add(args.grad_z, batch, next.begin, offset);
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
  const bool output = args.z.data != nullptr && args.grad_z.data != nullptr;
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
