/// Update of the causal convolution in decoding.
///
///   out[t] = act(bias + sum_w weight[w] xs[t + w]),  xs = [last W-1 inputs, x]
///
/// Oracle: packages/ssd-core causalConv1dUpdateRef. A thread takes one channel of one sequence.
#include "activations.h"
#include "argument_checks.h"
#include "device_indices.h"
#include "kernels.h"
#include "launch.h"
#include "storage.h"

namespace statespace::cuda {
namespace {

constexpr int kThreads = 128;

/// One channel of one sequence: its columns of the state, and the inputs before and in this call.
struct ConvChannel {
  const CausalConv1dUpdateArgs& args;
  int64_t b;
  int64_t channel;
  float* columns;
  /// Steps that the ring has seen; -1 for a state that shifts.
  int64_t written;

  __device__ float x(int64_t step) const {
    return load_entry<Format::kMixed>(args.x, row_offset(args.x, b, step) + channel * args.x.inner_stride);
  }
  /// Input of step `step` of this call; negative ones from the state.
  __device__ float input(int64_t step) const {
    if (step >= 0) return x(step);
    const int64_t S = args.state_len;
    return columns[written < 0 ? S + step : (written % S + S + step) % S];
  }
  __device__ void convolve() const {
    for (int64_t step = 0; step < args.seq_len; ++step) {
      float pre = args.bias != nullptr ? args.bias[channel] : 0.0f;
      for (int64_t w = 0; w < args.width; ++w) {
        pre += args.weight[channel * args.width + w] * input(step - args.width + 1 + w);
      }
      args.out[(b * args.seq_len + step) * args.dim + channel] =
          args.activation == Activation::kSilu ? silu(pre) : pre;
    }
  }
  /// Takes the inputs into the state.
  __device__ void remember() const {
    const int64_t S = args.state_len, L = args.seq_len, taken = L < S ? L : S;
    if (written < 0) {
      for (int64_t k = 0; k < S - taken; ++k) columns[k] = columns[k + taken];
      for (int64_t k = 0; k < taken; ++k) columns[S - taken + k] = x(L - taken + k);
    } else {
      for (int64_t step = L - taken; step < L; ++step) columns[(written + step) % S] = x(step);
    }
  }
};

__global__ void __launch_bounds__(kThreads)
    causal_conv1d_update_kernel(const CausalConv1dUpdateArgs args, const RowTurns turns, const int32_t* refused,
                                const int64_t channel_blocks) {
  if (is_refused(refused)) return;
  const int64_t items = args.batch * channel_blocks;
  for (int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    const int64_t channel = item % channel_blocks * kThreads + threadIdx.x;
    int64_t b = item / channel_blocks;
    if (channel >= args.dim || !has_first_turn(turns, b)) continue;
    for (; b >= 0; b = next_turn(turns, b)) {
      const int64_t row = row_of(turns, b);
      if (row < 0) {
        for (int64_t step = 0; step < args.seq_len; ++step) {
          args.out[(b * args.seq_len + step) * args.dim + channel] = 0.0f;
        }
        continue;
      }
      const ConvChannel own = {args, b, channel, args.conv_state + (row * args.dim + channel) * args.state_len,
                               args.cache_seqlens != nullptr ? args.cache_seqlens[b] : int64_t{-1}};
      own.convolve();
      if (args.state_len > 0) own.remember();
    }
  }
}

}  // namespace

Status causal_conv1d_update(const CausalConv1dUpdateArgs& args) noexcept {
  const Status checked = check_causal_conv1d_update(args);
  if (checked != Status::kOk) return checked;
  if (!FormatOf(args.x).known()) return Status::kBadArgument;
  if (args.batch == 0 || args.dim == 0 || args.seq_len == 0) return Status::kOk;
  IndexCheck check;
  Status status = check.queue({{args.conv_state_indices, args.batch, INT32_MIN, args.state_rows},
                               {args.cache_seqlens, args.batch, 0, int64_t{INT32_MAX} + 1}});
  BatchRows rows;
  if (status == Status::kOk) status = rows.queue(args.conv_state_indices, args.batch);
  if (status != Status::kOk) return status;
  const int64_t channel_blocks = ceil_divide<int64_t>(args.dim, kThreads);
  return launch(causal_conv1d_update_kernel, {blocks_for(args.batch * channel_blocks), kThreads, 0}, args,
                rows.turns(), check.refused(), channel_blocks);
}

}  // namespace statespace::cuda
