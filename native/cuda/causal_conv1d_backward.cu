/// Causal depthwise convolution, backward.
///
///   d[t] = grad_out[t] act'(pre[t])     dbias = sum d     dweight[w] = sum_t d[t] x[t - W + 1 + w]
///   dx[s] = sum_w weight[w] d[s + W - 1 - w]      at s before the first step: gradient of the initial state
///
/// Oracle: packages/ssd-core causalConv1dRef. A piece computes d again for the W - 1 steps behind it; what it sums for weight
/// and bias goes to scratch memory, which is summed in order of the pieces.
#include "argument_checks.h"
#include "causal_conv1d_piece.h"
#include "kernels.h"
#include "launch.h"
#include "partial_sums.h"

namespace statespace::cuda {
namespace {

/// Where pieces leave their sums: (pieces, D, W) and (pieces, D); null where nobody asked.
struct ConvPartials {
  float* weight = nullptr;
  float* bias = nullptr;
};

/// Writes dx at `step`, or the initial state's gradient where it lies before the sequence.
template <Format kFormat>
__device__ __forceinline__ void store_grad_x(const CausalConv1dBackwardArgs& args, const SequenceSpan& span,
                                             int64_t step, int64_t channel, float value) {
  const int64_t states = args.width - 1, from_end = step - (span.end - states);
  if (from_end >= 0 && args.grad_final_states != nullptr && span.final_row >= 0) {
    value += args.grad_final_states[(span.final_row * args.dim + channel) * states + from_end];
  }
  if (step < span.begin) {
    if (args.grad_initial_states == nullptr || span.initial_row < 0) return;
    args.grad_initial_states[(span.initial_row * args.dim + channel) * states + step - span.begin + states] = value;
  } else if (args.grad_x.data != nullptr) {
    store_entry<kFormat>(args.grad_x, row_offset(args.grad_x, span.batch, step) + channel * args.grad_x.inner_stride,
                         value);
  }
}

/// d of one step.
template <Format kFormat>
__device__ __forceinline__ float grad_before(const CausalConv1dBackwardArgs& args, const SequenceSpan& span,
                                             int64_t step, int64_t channel, float pre) {
  const float grad = load_entry<kFormat>(
      args.grad_out, row_offset(args.grad_out, span.batch, step) + channel * args.grad_out.inner_stride);
  return args.activation == Activation::kSilu ? grad * silu_slope(pre) : grad;
}

template <Format kFormat, int kWidth>
__global__ void __launch_bounds__(kConvThreads)
    causal_conv1d_backward_kernel(const CausalConv1dBackwardArgs args, const SequenceChunks chunks,
                                  const ConvPartials partials, const int64_t channel_blocks) {
  const int64_t items = chunks.total * channel_blocks;
  for (int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    const int64_t index = item / channel_blocks;
    const SequencePiece piece = piece_at(args, chunks, index);
    const int64_t channel = item % channel_blocks * kConvThreads + threadIdx.x;
    if (channel >= args.dim) continue;
    float weight[kWidth], window[kWidth], behind[kWidth] = {}, sums[kWidth] = {}, sum = 0.0f;
    const float bias = args.bias != nullptr ? args.bias[channel] : 0.0f;
    load_conv<kFormat>(args, piece.span, piece.begin, channel, weight, window);
    for (int64_t step = piece.begin; step < piece.end + kWidth - 1; ++step) {
      float grad = 0.0f;
      if (step < piece.span.end) {
        push(window, conv_input<kFormat>(args, piece.span, step, channel));
        grad = grad_before<kFormat>(args, piece.span, step, channel, convolve(weight, window, bias));
      }
      push(behind, grad);
      if (step < piece.end) {
        sum += grad;
#pragma unroll
        for (int w = 0; w < kWidth; ++w) sums[w] += grad * window[w];
      }
      const int64_t at = step - kWidth + 1;
      if (at < piece.begin && !piece.first) continue;
      float value = 0.0f;
#pragma unroll
      for (int w = 0; w < kWidth; ++w) value += weight[w] * behind[kWidth - 1 - w];
      store_grad_x<kFormat>(args, piece.span, at, channel, value);
    }
    const int64_t to = index * args.dim + channel;
    if (partials.bias != nullptr) partials.bias[to] = sum;
    if (partials.weight == nullptr) continue;
#pragma unroll
    for (int w = 0; w < kWidth; ++w) partials.weight[to * kWidth + w] = sums[w];
  }
}

/// Widths without a kernel of their own: d of every step goes to `slopes` (B, L, D), then each gradient is its sum.
template <Format kFormat>
__global__ void __launch_bounds__(kConvThreads)
    causal_conv1d_slopes_kernel(const CausalConv1dBackwardArgs args, const SequenceChunks chunks, float* slopes,
                                const int64_t channel_blocks) {
  const int64_t items = chunks.total * channel_blocks;
  for (int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    const SequencePiece piece = piece_at(args, chunks, item / channel_blocks);
    const int64_t channel = item % channel_blocks * kConvThreads + threadIdx.x;
    if (channel >= args.dim) continue;
    for (int64_t step = piece.begin; step < piece.end; ++step) {
      slopes[(piece.span.batch * args.seq_len + step) * args.dim + channel] = grad_before<kFormat>(
          args, piece.span, step, channel, conv_at<kFormat>(args, piece.span, step, channel));
    }
  }
}

template <Format kFormat>
__global__ void __launch_bounds__(kConvThreads)
    causal_conv1d_wide_backward_kernel(const CausalConv1dBackwardArgs args, const SequenceChunks chunks,
                                       const float* slopes, const ConvPartials partials,
                                       const int64_t channel_blocks) {
  const int64_t items = chunks.total * channel_blocks;
  for (int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    const int64_t index = item / channel_blocks;
    const SequencePiece piece = piece_at(args, chunks, index);
    const int64_t channel = item % channel_blocks * kConvThreads + threadIdx.x;
    if (channel >= args.dim) continue;
    const auto slope = [&](int64_t step) {
      return slopes[(piece.span.batch * args.seq_len + step) * args.dim + channel];
    };
    const int64_t width = args.width, first = piece.first ? piece.begin - width + 1 : piece.begin;
    for (int64_t at = first; at < piece.end; ++at) {
      float value = 0.0f;
      for (int64_t w = 0; w < width; ++w) {
        const int64_t step = at + width - 1 - w;
        if (step >= piece.span.begin && step < piece.span.end) {
          value += args.weight[channel * width + w] * slope(step);
        }
      }
      store_grad_x<kFormat>(args, piece.span, at, channel, value);
    }
    const int64_t to = index * args.dim + channel;
    float sum = 0.0f;
    for (int64_t step = piece.begin; step < piece.end; ++step) sum += slope(step);
    if (partials.bias != nullptr) partials.bias[to] = sum;
    for (int64_t w = 0; w < width && partials.weight != nullptr; ++w) {
      float of_weight = 0.0f;
      for (int64_t step = piece.begin; step < piece.end; ++step) {
        of_weight += slope(step) * conv_input<kFormat>(args, piece.span, step - width + 1 + w, channel);
      }
      partials.weight[to * width + w] = of_weight;
    }
  }
}

}  // namespace

Status causal_conv1d_backward(const CausalConv1dBackwardArgs& given) noexcept {
  const Status checked = check_causal_conv1d(given);
  if (checked != Status::kOk) return checked;
  if (given.batch * given.seq_len * given.dim > 0 && given.grad_out.data == nullptr) return Status::kBadArgument;
  const FormatOf formats(given.x, given.grad_out, given.grad_x);
  if (!formats.known()) return Status::kBadArgument;
  CausalConv1dBackwardArgs args = given;
  DeviceSequences sequences;
  Status status = sequences.place(args, conv_piece_steps(args), 1);
  if (status == Status::kOk) status = sequences.clear_padding(args.grad_x, 1, args.dim);
  if (status != Status::kOk) return status;

  const SequenceChunks& chunks = sequences.chunks();
  const int64_t sums = chunks.total * args.dim;
  DeviceScratch weight_memory, bias_memory, slope_memory;
  ConvPartials partials;
  if (args.grad_weight != nullptr) partials.weight = weight_memory.take<float>(sums * args.width);
  if (args.grad_bias != nullptr) partials.bias = bias_memory.take<float>(sums);
  float* slopes = nullptr;
  if (args.width > kMostConvWidth) slopes = slope_memory.take<float>(args.batch * args.seq_len * args.dim);
  for (const DeviceScratch* scratch : {&weight_memory, &bias_memory, &slope_memory}) {
    if (scratch->status() != Status::kOk) return scratch->status();
  }

  const int64_t channel_blocks = ceil_divide<int64_t>(args.dim, kConvThreads);
  const GridShape grid = {blocks_for(chunks.total * channel_blocks), kConvThreads, 0};
  status = dispatch_format(formats.common(), [&](auto constant) {
    constexpr Format kFormat = decltype(constant)::value;
    return dispatch_conv_width(args.width, [&](auto width) {
      if constexpr (decltype(width)::value > 0) {
        return launch(causal_conv1d_backward_kernel<kFormat, decltype(width)::value>, grid, args, chunks, partials,
                      channel_blocks);
      } else {
        const Status first = launch(causal_conv1d_slopes_kernel<kFormat>, grid, args, chunks, slopes, channel_blocks);
        if (first != Status::kOk) return first;
        return launch(causal_conv1d_wide_backward_kernel<kFormat>, grid, args, chunks,
                      static_cast<const float*>(slopes), partials, channel_blocks);
      }
    });
  });
  if (status == Status::kOk) {
    status = sum_partials(partials.weight, chunks.total, args.dim * args.width, args.grad_weight);
  }
  if (status == Status::kOk) status = sum_partials(partials.bias, chunks.total, args.dim, args.grad_bias);
  return status;
}

}  // namespace statespace::cuda
