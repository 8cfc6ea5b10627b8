/// One-step updates for decoding: selective state update, and update of the causal convolution.
///
///   Delta = clamp(softplus?(dt + dt_bias));  h <- exp(Delta A) h + Delta x B;  out = (<C, h> + D x) silu(z)
///   out[t] = act(bias + sum_w weight[w] xs[t + w]),  xs = [last W-1 inputs, x]
///
/// Oracles: packages/ssd-core selectiveStateUpdateRef, causalConv1dUpdateRef; native/test/state_update_test.cpp.
/// Work is cut into blocks of neighbouring channels; a block goes through the batch in order, so that its A or its
/// weights stay in L1, and that sequences which share a row of the state (which indices allow) update it one after
/// another as in the oracle, whatever the number of threads.
#include "isa_kernels.h"
#include "parallel.h"
#include "scratch.h"
#include "sequence_rows.h"
#include "statespace/causal_conv1d.h"
#include "vector_math.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

/// Channels of a block: a multiple of every vector length.
inline constexpr int64_t kBlock = 32;
static_assert(kBlock % kLanes == 0);

/// Rows that sequences name, checked before anything is written.
Status check_rows(const int32_t* indices, int64_t batch, int64_t rows) noexcept {
  if (indices == nullptr) return batch <= rows ? Status::kOk : Status::kBadArgument;
  for (int64_t b = 0; b < batch; ++b) {
    if (indices[b] >= rows) return Status::kIndexOutOfRange;
  }
  return Status::kOk;
}

STATESPACE_INLINE int64_t row_of(const int32_t* indices, int64_t b) { return indices == nullptr ? b : indices[b]; }

/// Blocks that one claim takes: about 16 thousand state elements.
STATESPACE_INLINE int64_t blocks_per_claim(int64_t elements_per_block) {
  return larger<int64_t>(1, 16384 / larger<int64_t>(1, elements_per_block));
}

/// Numbers of one block of channels and one sequence.
struct BlockSteps {
  alignas(64) float step[kBlock];   // Delta
  alignas(64) float decay[kBlock];  // exp(Delta A), where A is one number per head
  alignas(64) float drive[kBlock];  // Delta x
  alignas(64) float y[kBlock];
};

/// p[channel], or the number of the channel's head.
STATESPACE_INLINE float per_channel_or_head(const float* p, bool per_channel, int64_t channel, int64_t head) {
  return per_channel ? p[channel] : p[head];
}

void prepare_steps(const SelectiveStateUpdateArgs& args, int64_t b, int64_t first, int64_t count,
                   BlockSteps& block) noexcept {
  const float* dt = args.dt + b * args.dt_batch_stride;
  const float* x = args.x + b * args.x_batch_stride + first;
  for (int64_t i = 0; i < kBlock; ++i) {
    const int64_t channel = first + smaller(i, count - 1);
    const int64_t head = channel / args.head_dim;
    float raw = per_channel_or_head(dt, args.dt_has_head_dim, channel, head);
    if (args.dt_bias != nullptr) raw += per_channel_or_head(args.dt_bias, args.dt_bias_has_head_dim, channel, head);
    block.step[i] = raw;
    block.decay[i] = args.a_has_state || args.A == nullptr ? 0.0f : args.A[head];
  }
  for (int64_t i = 0; i < kBlock; i += kLanes) {
    Floats step = load(block.step + i);
    if (args.dt_softplus) step = softplus(step);
    // In this order a NaN stays a NaN.
    step = select(step < args.dt_min, broadcast(args.dt_min), step);
    step = select(step > args.dt_max, broadcast(args.dt_max), step);
    store(block.step + i, step);
    if (!args.a_has_state) store(block.decay + i, exp(step * load(block.decay + i)));
    const int64_t lanes = larger<int64_t>(0, smaller<int64_t>(kLanes, count - i));
    store(block.drive + i, step * load_partial(x + i, lanes));
  }
}

/// Updates N states of one channel; returns the lanes whose sum is <C, h>.
template <bool kFullA>
STATESPACE_INLINE Floats update_vector(Floats h, Floats step, Floats decay, Floats drive, const float* A,
                                       const float* B, const float* C, int64_t lanes, Floats sum, float* state) {
  const bool whole = lanes == kLanes;
  if (kFullA) decay = exp(step * (whole ? load(A) : load_partial(A, lanes)));
  h = fma(decay, h, drive * (whole ? load(B) : load_partial(B, lanes)));
  if (whole) {
    store(state, h);
    return fma(load(C), h, sum);
  }
  store_partial(state, h, lanes);
  return fma(load_partial(C, lanes), h, sum);
}

template <bool kFullA>
float update_channel(float* state, int64_t d_state, float step, float decay, float drive, const float* A,
                     const float* B, const float* C) noexcept {
  const Floats steps = broadcast(step), decays = broadcast(decay), drives = broadcast(drive);
  Floats even = {}, odd = {};
  int64_t n = 0;
  for (; n + 2 * kLanes <= d_state; n += 2 * kLanes) {
    const int64_t m = n + kLanes;
    even = update_vector<kFullA>(load(state + n), steps, decays, drives, A + n, B + n, C + n, kLanes, even, state + n);
    odd = update_vector<kFullA>(load(state + m), steps, decays, drives, A + m, B + m, C + m, kLanes, odd, state + m);
  }
  if (n + kLanes <= d_state) {
    even = update_vector<kFullA>(load(state + n), steps, decays, drives, A + n, B + n, C + n, kLanes, even, state + n);
    n += kLanes;
  }
  if (n < d_state) {
    const int64_t lanes = d_state - n;
    odd = update_vector<kFullA>(load_partial(state + n, lanes), steps, decays, drives, A + n, B + n, C + n, lanes, odd,
                                state + n);
  }
  return reduce_add(even + odd);
}

/// out = (y + D x) silu(z)
void finish_block(const SelectiveStateUpdateArgs& args, int64_t b, int64_t first, int64_t count,
                  BlockSteps& block) noexcept {
  const float* x = args.x + b * args.x_batch_stride + first;
  float* out = args.out + b * args.n_heads * args.head_dim + first;
  if (args.D != nullptr) {
    for (int64_t i = 0; i < count; ++i) {
      const int64_t channel = first + i;
      block.y[i] += per_channel_or_head(args.D, args.d_has_head_dim, channel, channel / args.head_dim) * x[i];
    }
  }
  for (int64_t i = 0; i < count; i += kLanes) {
    const int64_t lanes = smaller<int64_t>(kLanes, count - i);
    Floats y = load(block.y + i);
    if (args.z != nullptr) y *= silu(load_partial(args.z + b * args.z_batch_stride + first + i, lanes));
    store_partial(out + i, y, lanes);
  }
}

void update_block(const SelectiveStateUpdateArgs& args, int64_t first, int64_t count) noexcept {
  const int64_t channels = args.n_heads * args.head_dim;
  const int64_t channels_per_group = channels / args.n_groups;
  BlockSteps block = {};
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
      float* state = args.state + (row * channels + channel) * args.d_state;
      const float* B = args.B + b * args.b_batch_stride + group * args.d_state;
      const float* C = args.C + b * args.c_batch_stride + group * args.d_state;
      block.y[i] = args.a_has_state
                       ? update_channel<true>(state, args.d_state, block.step[i], 0, block.drive[i],
                                              args.A + channel * args.d_state, B, C)
                       : update_channel<false>(state, args.d_state, block.step[i], block.decay[i], block.drive[i],
                                               args.A, B, C);
    }
    finish_block(args, b, first, count, block);
  }
}

Status check_state_update(const SelectiveStateUpdateArgs& args) noexcept {
  if (args.batch < 0 || args.n_heads < 0 || args.head_dim < 0 || args.d_state < 0 || args.state_rows < 0 ||
      args.n_groups < 1 || args.n_heads % args.n_groups != 0 || !(args.dt_min <= args.dt_max)) {
    return Status::kBadArgument;
  }
  if (args.batch > 0 && args.n_heads > 0 && args.head_dim > 0) {
    if (args.x == nullptr || args.dt == nullptr || args.out == nullptr) return Status::kBadArgument;
    // Without states, tensors over them are empty and may have no address.
    if (args.d_state > 0 && (args.A == nullptr || args.B == nullptr || args.C == nullptr)) return Status::kBadArgument;
    if (args.d_state > 0 && args.state_rows > 0 && args.state == nullptr) return Status::kBadArgument;
  }
  return check_rows(args.state_batch_indices, args.batch, args.state_rows);
}

/// Scratch of one worker: rows of kBlock channels.
struct ConvBlock {
  float* weight;  // (W), transposed
  float* line;    // (W), the last inputs: step t at row (t + W - 1) mod W
  float* bias;    // (1)
};

STATESPACE_INLINE int64_t conv_block_size(int64_t width) { return (2 * width + 1) * kBlock; }

/// Column of the input `age` steps before the first new one, 1 <= age <= S; `written` < 0 for a shifting state.
STATESPACE_INLINE int64_t history_column(int64_t age, int64_t state_len, int64_t written) {
  // A column that no step has written yet holds what the caller put there.
  return written < 0 ? state_len - age : (written % state_len + state_len - age) % state_len;
}

/// Takes the inputs of one channel into its state.
void remember(float* columns, int64_t state_len, int64_t written, const float* x, int64_t x_step,
              int64_t seq_len) noexcept {
  const int64_t taken = smaller(seq_len, state_len);
  if (written < 0) {
    for (int64_t k = 0; k < state_len - taken; ++k) columns[k] = columns[k + taken];
    for (int64_t k = 0; k < taken; ++k) columns[state_len - taken + k] = x[(seq_len - taken + k) * x_step];
    return;
  }
  for (int64_t t = seq_len - taken; t < seq_len; ++t) columns[(written + t) % state_len] = x[t * x_step];
}

/// The steps of one sequence for the channels of `block`; its state row starts at `state` (channel, S).
void convolve_steps(const CausalConv1dUpdateArgs& args, int64_t b, int64_t first, int64_t count, float* state,
                    const ConvBlock& block) noexcept {
  const int64_t before = args.width - 1;
  const int64_t written = args.cache_seqlens == nullptr ? -1 : args.cache_seqlens[b];
  for (int64_t age = before; age >= 1; --age) {
    const int64_t column = history_column(age, args.state_len, written);
    float* row = block.line + (before - age) * kBlock;
    for (int64_t i = 0; i < kBlock; ++i) row[i] = i < count ? state[i * args.state_len + column] : 0.0f;
  }
  const float* x = row_at(args.x, b, 0) + first;
  float* out = args.out + b * args.seq_len * args.dim + first;
  for (int64_t t = 0; t < args.seq_len; ++t) {
    const int64_t oldest = t % args.width;
    const int64_t newest = (t + before) % args.width;
    for (int64_t i = 0; i < count; i += kLanes) {
      const int64_t lanes = smaller<int64_t>(kLanes, count - i);
      store(block.line + newest * kBlock + i, load_partial(x + t * args.x.len_stride + i, lanes));
      Floats sum = load(block.bias + i);
      for (int64_t w = 0, row = oldest; w < args.width; ++w) {
        sum = fma(load(block.weight + w * kBlock + i), load(block.line + row * kBlock + i), sum);
        row = row + 1 == args.width ? 0 : row + 1;
      }
      if (args.activation == Activation::kSilu) sum = silu(sum);
      store_partial(out + t * args.dim + i, sum, lanes);
    }
  }
  if (args.state_len == 0) return;
  for (int64_t i = 0; i < count; ++i) {
    remember(state + i * args.state_len, args.state_len, written, x + i, args.x.len_stride, args.seq_len);
  }
}

void convolve_block(const CausalConv1dUpdateArgs& args, int64_t first, int64_t count, float* scratch) noexcept {
  const ConvBlock block = {scratch, scratch + args.width * kBlock, scratch + 2 * args.width * kBlock};
  for (int64_t i = 0; i < kBlock; ++i) {
    const int64_t channel = first + smaller(i, count - 1);
    for (int64_t w = 0; w < args.width; ++w) block.weight[w * kBlock + i] = args.weight[channel * args.width + w];
    block.bias[i] = args.bias == nullptr ? 0.0f : args.bias[channel];
  }
  for (int64_t b = 0; b < args.batch; ++b) {
    const int64_t row = row_of(args.conv_state_indices, b);
    if (row >= 0) {
      convolve_steps(args, b, first, count, args.conv_state + (row * args.dim + first) * args.state_len, block);
      continue;
    }
    for (int64_t t = 0; t < args.seq_len; ++t) {
      for (int64_t i = 0; i < count; ++i) args.out[(b * args.seq_len + t) * args.dim + first + i] = 0;
    }
  }
}

Status check_conv_update(const CausalConv1dUpdateArgs& args) noexcept {
  if (args.batch < 0 || args.seq_len < 0 || args.dim < 0 || args.width < 1 || args.width > kCausalConv1dMaxWidth ||
      args.state_len < args.width - 1 || args.state_rows < 0) {
    return Status::kBadArgument;
  }
  if (args.batch > 0 && args.dim > 0) {
    if (args.weight == nullptr || (args.state_len > 0 && args.state_rows > 0 && args.conv_state == nullptr)) {
      return Status::kBadArgument;
    }
    if (args.seq_len > 0 && (args.x.data == nullptr || args.out == nullptr)) return Status::kBadArgument;
  }
  for (int64_t b = 0; args.cache_seqlens != nullptr && b < args.batch; ++b) {
    if (args.cache_seqlens[b] < 0) return Status::kIndexOutOfRange;
  }
  return check_rows(args.conv_state_indices, args.batch, args.state_rows);
}

}  // namespace

Status selective_state_update(const SelectiveStateUpdateArgs& args) noexcept {
  const Status status = check_state_update(args);
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

Status causal_conv1d_update(const CausalConv1dUpdateArgs& args) noexcept {
  const Status status = check_conv_update(args);
  if (status != Status::kOk) return status;
  if (args.batch == 0 || args.dim == 0 || args.seq_len == 0) return Status::kOk;
  const int64_t blocks = ceil_div(args.dim, kBlock);
  const int64_t grain = blocks_per_claim(args.batch * kBlock * args.seq_len * args.width);
  const int64_t claims = ceil_div(blocks, grain);
  const int32_t workers = static_cast<int32_t>(smaller<int64_t>(worker_limit(), claims));
  const Scratch scratch(workers * conv_block_size(args.width));
  if (!scratch.ok()) return Status::kOutOfMemory;
  for_chunks(claims, workers, [&](int64_t claim, int32_t worker) noexcept {
    const int64_t end = smaller(blocks, (claim + 1) * grain);
    for (int64_t i = claim * grain; i < end; ++i) {
      convolve_block(args, i * kBlock, smaller(kBlock, args.dim - i * kBlock),
                     scratch.data() + worker * conv_block_size(args.width));
    }
  });
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS
