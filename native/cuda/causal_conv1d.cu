/// Causal depthwise convolution, forward.
///
///   out[t] = act(bias + sum_w weight[w] x[t - W + 1 + w])
///
/// Oracle: packages/ssd-core causalConv1dRef. Bound by memory: each input is read once, and W - 1 of each piece twice.
#include "argument_checks.h"
#include "causal_conv1d_piece.h"
#include "kernels.h"
#include "launch.h"

namespace statespace::cuda {
namespace {

__device__ __forceinline__ float activate(const CausalConv1dArgs& args, float pre) {
  return args.activation == Activation::kSilu ? silu(pre) : pre;
}

/// With kWidth 0 a kernel for widths beyond kMostConvWidth, which reads its inputs again for every output.
template <Format kFormat, int kWidth>
__global__ void __launch_bounds__(kConvThreads)
    causal_conv1d_kernel(const CausalConv1dArgs args, const SequenceChunks chunks, const int64_t channel_blocks) {
  const int64_t items = chunks.total * channel_blocks;
  for (int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    const SequencePiece piece = piece_at(args, chunks, item / channel_blocks);
    const int64_t channel = item % channel_blocks * kConvThreads + threadIdx.x;
    if (channel >= args.dim) continue;
    const auto store = [&](int64_t step, float pre) {
      store_entry<kFormat>(args.out, row_offset(args.out, piece.span.batch, step) + channel * args.out.inner_stride,
                           activate(args, pre));
    };
    if constexpr (kWidth > 0) {
      float weight[kWidth], window[kWidth];
      const float bias = args.bias != nullptr ? args.bias[channel] : 0.0f;
      load_conv<kFormat>(args, piece.span, piece.begin, channel, weight, window);
      for (int64_t step = piece.begin; step < piece.end; ++step) {
        push(window, conv_input<kFormat>(args, piece.span, step, channel));
        store(step, convolve(weight, window, bias));
      }
    } else {
      for (int64_t step = piece.begin; step < piece.end; ++step) {
        store(step, conv_at<kFormat>(args, piece.span, step, channel));
      }
    }
    if (!piece.last || args.final_states == nullptr || piece.span.final_row < 0) continue;
    float* const state = args.final_states + (piece.span.final_row * args.dim + channel) * (args.width - 1);
    for (int64_t w = 0; w + 1 < args.width; ++w) {
      state[w] = conv_input<kFormat>(args, piece.span, piece.span.end - args.width + 1 + w, channel);
    }
  }
}

}  // namespace

Status causal_conv1d(const CausalConv1dArgs& given) noexcept {
  const Status checked = check_causal_conv1d(given);
  if (checked != Status::kOk) return checked;
  if (given.batch * given.seq_len * given.dim > 0 && given.out.data == nullptr) return Status::kBadArgument;
  const FormatOf formats(given.x, given.out);
  if (!formats.known()) return Status::kBadArgument;
  CausalConv1dArgs args = given;
  DeviceSequences sequences;
  Status status = sequences.place(args, conv_piece_steps(args), 1);
  if (status == Status::kOk) status = sequences.clear_padding(args.out, 1, args.dim);
  if (status != Status::kOk) return status;
  const int64_t channel_blocks = ceil_divide<int64_t>(args.dim, kConvThreads);
  const GridShape grid = {blocks_for(sequences.chunks().total * channel_blocks), kConvThreads, 0};
  return dispatch_format(formats.common(), [&](auto format) {
    return dispatch_conv_width(args.width, [&](auto width) {
      return launch(causal_conv1d_kernel<decltype(format)::value, decltype(width)::value>, grid, args,
                    sequences.chunks(), channel_blocks);
    });
  });
}

}  // namespace statespace::cuda
