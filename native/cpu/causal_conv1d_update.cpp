/// Update of the causal convolution in decoding, in float and double:
///
///   out[t] = act(bias + sum_w weight[w] xs[t + w]),  xs = [last W-1 inputs, x]
///
/// Oracle: packages/ssd-core causalConv1dUpdateRef; native/test/state_update_test.cpp holds a second one.
/// Work is cut into blocks of neighbouring channels; a block goes through the batch in order, so that its weights stay
/// in L1, and that sequences which share a row of the state update it one after another as in the oracle.
#include "argument_checks.h"
#include "isa_kernels.h"
#include "parallel.h"
#include "scratch.h"
#include "statespace/causal_conv1d.h"
#include "update_rows.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

/// Scratch of one worker: rows of kBlock channels.
template <typename Real>
struct ConvBlock {
  Real* weight;  // (W), transposed
  Real* line;    // (W), the last inputs: step t at row (t + W - 1) mod W
  Real* bias;    // (1)
};

STATESPACE_INLINE int64_t conv_block_size(int64_t width) { return (2 * width + 1) * kBlock; }

/// Column of the input `age` steps before the first new one, 1 <= age <= S; `written` < 0 for a shifting state.
STATESPACE_INLINE int64_t history_column(int64_t age, int64_t state_len, int64_t written) {
  // A column that no step has written yet holds what the caller put there.
  return written < 0 ? state_len - age : (written % state_len + state_len - age) % state_len;
}

/// Takes the inputs of one channel into its state.
template <typename Real>
void remember(Real* columns, int64_t state_len, int64_t written, const Real* x, int64_t x_step,
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
template <typename Real>
void convolve_steps(const CausalConv1dUpdateArgsOf<Real>& args, int64_t b, int64_t first, int64_t count, Real* state,
                    const ConvBlock<Real>& block) noexcept {
  const int64_t before = args.width - 1;
  const int64_t written = args.cache_seqlens == nullptr ? -1 : args.cache_seqlens[b];
  for (int64_t age = before; age >= 1; --age) {
    const int64_t column = history_column(age, args.state_len, written);
    Real* row = block.line + (before - age) * kBlock;
    for (int64_t i = 0; i < kBlock; ++i) row[i] = i < count ? state[i * args.state_len + column] : Real{0};
  }
  const Real* x = static_cast<const Real*>(args.x.data) + b * args.x.batch_stride + first;
  Real* out = args.out + b * args.seq_len * args.dim + first;
  for (int64_t t = 0; t < args.seq_len; ++t) {
    const int64_t oldest = t % args.width;
    const int64_t newest = (t + before) % args.width;
    for (int64_t i = 0; i < count; i += kRealLanes<Real>) {
      const int64_t lanes = smaller(kRealLanes<Real>, count - i);
      store_vector<Real>(block.line + newest * kBlock + i, load_first(x + t * args.x.len_stride + i, lanes));
      VectorOf<Real> sum = load_vector(block.bias + i);
      for (int64_t w = 0, row = oldest; w < args.width; ++w) {
        sum = load_vector(block.weight + w * kBlock + i) * load_vector(block.line + row * kBlock + i) + sum;
        row = row + 1 == args.width ? 0 : row + 1;
      }
      if (args.activation == Activation::kSilu) sum = UpdateMath<Real>::silu(sum);
      store_first<Real>(out + t * args.dim + i, sum, lanes);
    }
  }
  if (args.state_len == 0) return;
  for (int64_t i = 0; i < count; ++i) {
    remember(state + i * args.state_len, args.state_len, written, x + i, args.x.len_stride, args.seq_len);
  }
}

template <typename Real>
void convolve_block(const CausalConv1dUpdateArgsOf<Real>& args, int64_t first, int64_t count, Real* scratch) noexcept {
  const ConvBlock<Real> block = {scratch, scratch + args.width * kBlock, scratch + 2 * args.width * kBlock};
  for (int64_t i = 0; i < kBlock; ++i) {
    const int64_t channel = first + smaller(i, count - 1);
    for (int64_t w = 0; w < args.width; ++w) block.weight[w * kBlock + i] = args.weight[channel * args.width + w];
    block.bias[i] = args.bias == nullptr ? Real{0} : args.bias[channel];
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

/// Indices are checked before anything is written.
template <typename Real>
Status check_indices(const CausalConv1dUpdateArgsOf<Real>& args) noexcept {
  for (int64_t b = 0; args.cache_seqlens != nullptr && b < args.batch; ++b) {
    if (args.cache_seqlens[b] < 0) return Status::kIndexOutOfRange;
  }
  return check_rows(args.conv_state_indices, args.batch, args.state_rows);
}

template <typename Real>
Status update(const CausalConv1dUpdateArgsOf<Real>& args) noexcept {
  const Status checked = check_causal_conv1d_update(args);
  if (checked != Status::kOk) return checked;
  const Status status = check_indices(args);
  if (status != Status::kOk) return status;
  if (args.batch == 0 || args.dim == 0 || args.seq_len == 0) return Status::kOk;
  const int64_t blocks = ceil_div(args.dim, kBlock);
  const int64_t grain = blocks_per_claim(args.batch * kBlock * args.seq_len * args.width);
  const int64_t claims = ceil_div(blocks, grain);
  const int32_t workers = static_cast<int32_t>(smaller<int64_t>(worker_limit(), claims));
  const int64_t size = conv_block_size(args.width);
  constexpr int64_t kWords = sizeof(Real) / sizeof(float);
  const Scratch scratch(workers * size * kWords);
  if (!scratch.ok()) return Status::kOutOfMemory;
  for_chunks(claims, workers, [&](int64_t claim, int32_t worker) noexcept {
    const int64_t end = smaller(blocks, (claim + 1) * grain);
    for (int64_t i = claim * grain; i < end; ++i) {
      convolve_block(args, i * kBlock, smaller(kBlock, args.dim - i * kBlock),
                     reinterpret_cast<Real*>(scratch.data()) + worker * size);
    }
  });
  return Status::kOk;
}

}  // namespace

Status causal_conv1d_update(const CausalConv1dUpdateArgs& args) noexcept { return update(args); }

Status causal_conv1d_update_f64(const CausalConv1dUpdateArgsOf<double>& args) noexcept { return update(args); }

}  // namespace statespace::STATESPACE_ISA_NS
