/// Selective state update of decoding, in float and double:
///
///   Delta = clamp(softplus?(dt + dt_bias));  h <- exp(Delta A) h + Delta x B;  out = (<C, h> + D x) silu(z)
///
/// Oracle: packages/ssd-core selectiveStateUpdateRef; native/test/state_update_test.cpp holds a second one.
/// Work is cut into blocks of neighbouring channels; a block goes through the batch in order, so that its A stays in
/// L1, and that sequences which share a row of the state (which indices allow) update it one after another as in the
/// oracle, whatever the number of threads.
#include "argument_checks.h"
#include "isa_kernels.h"
#include "parallel.h"
#include "update_rows.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

/// Numbers of one block of channels and one sequence.
template <typename Real>
struct BlockSteps {
  alignas(64) Real step[kBlock];   // Delta
  alignas(64) Real decay[kBlock];  // exp(Delta A), where A is one number per head
  alignas(64) Real drive[kBlock];  // Delta x
  alignas(64) Real y[kBlock];
};

/// p[channel], or the number of the channel's head.
template <typename Real>
STATESPACE_INLINE Real per_channel_or_head(const Real* p, bool per_channel, int64_t channel, int64_t head) {
  return per_channel ? p[channel] : p[head];
}

template <typename Real>
void prepare_steps(const SelectiveStateUpdateArgsOf<Real>& args, int64_t b, int64_t first, int64_t count,
                   BlockSteps<Real>& block) noexcept {
  const Real* dt = args.dt + b * args.dt_batch_stride;
  const Real* x = args.x + b * args.x_batch_stride + first;
  for (int64_t i = 0; i < kBlock; ++i) {
    const int64_t channel = first + smaller(i, count - 1);
    const int64_t head = channel / args.head_dim;
    Real raw = per_channel_or_head(dt, args.dt_has_head_dim, channel, head);
    if (args.dt_bias != nullptr) raw += per_channel_or_head(args.dt_bias, args.dt_bias_has_head_dim, channel, head);
    block.step[i] = raw;
    block.decay[i] = args.a_has_state || args.A == nullptr ? Real{0} : args.A[head];
  }
  using Math = UpdateMath<Real>;
  constexpr int64_t kWidth = kRealLanes<Real>;
  for (int64_t i = 0; i < kBlock; i += kWidth) {
    VectorOf<Real> step = load_vector(block.step + i);
    if (args.dt_softplus) step = Math::softplus(step);
    // In this order a NaN stays a NaN.
    step = step < args.dt_min ? vector_of(args.dt_min) : step;
    step = step > args.dt_max ? vector_of(args.dt_max) : step;
    store_vector<Real>(block.step + i, step);
    if (!args.a_has_state) store_vector<Real>(block.decay + i, Math::exp(step * load_vector(block.decay + i)));
    const int64_t lanes = larger<int64_t>(0, smaller<int64_t>(kWidth, count - i));
    store_vector<Real>(block.drive + i, step * load_first(x + i, lanes));
  }
}

/// Updates the states of one vector; returns the lanes whose sum is <C, h>.
template <bool kFullA, typename Real, typename Vector = VectorOf<Real>>
STATESPACE_INLINE Vector update_vector(Real* state, const Vector& step, Vector decay, const Vector& drive,
                                       const Real* A, const Real* B, const Real* C, int64_t lanes, const Vector& sum) {
  const bool whole = lanes == kRealLanes<Real>;
  const auto numbers = [&](const Real* p) { return whole ? load_vector(p) : load_first(p, lanes); };
  if (kFullA) decay = UpdateMath<Real>::exp(step * numbers(A));
  const Vector h = decay * numbers(state) + drive * numbers(B);
  if (whole) {
    store_vector<Real>(state, h);
  } else {
    store_first<Real>(state, h, lanes);
  }
  return numbers(C) * h + sum;
}

/// Updates the N states of one channel; answers <C, h>.
template <bool kFullA, typename Real>
Real update_channel(Real* state, int64_t d_state, Real step, Real decay, Real drive, const Real* A, const Real* B,
                    const Real* C) noexcept {
  using Vector = VectorOf<Real>;
  constexpr int64_t kWidth = kRealLanes<Real>;
  const Vector steps = vector_of(step), decays = vector_of(decay), drives = vector_of(drive);
  const auto update = [&](int64_t n, int64_t lanes, const Vector& sum) {
    return update_vector<kFullA, Real>(state + n, steps, decays, drives, A + n, B + n, C + n, lanes, sum);
  };
  Vector even = {}, odd = {};
  int64_t n = 0;
  for (; n + 2 * kWidth <= d_state; n += 2 * kWidth) {
    even = update(n, kWidth, even);
    odd = update(n + kWidth, kWidth, odd);
  }
  if (n + kWidth <= d_state) {
    even = update(n, kWidth, even);
    n += kWidth;
  }
  if (n < d_state) odd = update(n, d_state - n, odd);
  return lane_total<Real>(even + odd);
}

/// out = (y + D x) silu(z)
template <typename Real>
void finish_block(const SelectiveStateUpdateArgsOf<Real>& args, int64_t b, int64_t first, int64_t count,
                  BlockSteps<Real>& block) noexcept {
  const Real* x = args.x + b * args.x_batch_stride + first;
  Real* out = args.out + b * args.n_heads * args.head_dim + first;
  if (args.D != nullptr) {
    for (int64_t i = 0; i < count; ++i) {
      const int64_t channel = first + i;
      block.y[i] += per_channel_or_head(args.D, args.d_has_head_dim, channel, channel / args.head_dim) * x[i];
    }
  }
  for (int64_t i = 0; i < count; i += kRealLanes<Real>) {
    const int64_t lanes = smaller(kRealLanes<Real>, count - i);
    VectorOf<Real> y = load_vector(block.y + i);
    if (args.z != nullptr) y *= UpdateMath<Real>::silu(load_first(args.z + b * args.z_batch_stride + first + i, lanes));
    store_first<Real>(out + i, y, lanes);
  }
}

template <typename Real>
void update_block(const SelectiveStateUpdateArgsOf<Real>& args, int64_t first, int64_t count) noexcept {
  const int64_t channels = args.n_heads * args.head_dim;
  const int64_t channels_per_group = channels / args.n_groups;
  BlockSteps<Real> block = {};
  for (int64_t b = 0; b < args.batch; ++b) {
    const int64_t row = row_of(args.state_batch_indices, b);
    if (row < 0) {
      for (int64_t i = 0; i < count; ++i) args.out[b * channels + first + i] = 0;
      continue;
    }
    prepare_steps(args, b, first, count, block);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t channel = first + i;
      const int64_t group = channel / channels_per_group;
      Real* state = args.state + (row * channels + channel) * args.d_state;
      const Real* B = args.B + b * args.b_batch_stride + group * args.d_state;
      const Real* C = args.C + b * args.c_batch_stride + group * args.d_state;
      block.y[i] = args.a_has_state
                       ? update_channel<true, Real>(state, args.d_state, block.step[i], 0, block.drive[i],
                                                    args.A + channel * args.d_state, B, C)
                       : update_channel<false, Real>(state, args.d_state, block.step[i], block.decay[i],
                                                     block.drive[i], args.A, B, C);
    }
    finish_block(args, b, first, count, block);
  }
}

template <typename Real>
Status update(const SelectiveStateUpdateArgsOf<Real>& args) noexcept {
  const Status checked = check_state_update(args);
  if (checked != Status::kOk) return checked;
  const Status status = check_rows(args.state_batch_indices, args.batch, args.state_rows);
  if (status != Status::kOk) return status;
  const int64_t channels = args.n_heads * args.head_dim;
  if (args.batch == 0 || channels == 0) return Status::kOk;
  const int64_t grain = blocks_per_claim(args.batch * kBlock * args.d_state);
  for_ranges(ceil_div(channels, kBlock), grain, [&](int64_t begin, int64_t end) noexcept {
    for (int64_t i = begin; i < end; ++i) {
      update_block(args, i * kBlock, smaller(kBlock, channels - i * kBlock));
    }
  });
  return Status::kOk;
}

}  // namespace

Status selective_state_update(const SelectiveStateUpdateArgs& args) noexcept { return update(args); }

Status selective_state_update_f64(const SelectiveStateUpdateArgsOf<double>& args) noexcept { return update(args); }

}  // namespace statespace::STATESPACE_ISA_NS
