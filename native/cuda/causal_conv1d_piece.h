/// What both directions of the causal convolution share. A thread takes one channel of one piece of a sequence and walks
/// over its steps with the last W inputs in registers; neighbouring threads take neighbouring channels.
#pragma once

#include "activations.h"
#include "sequences.h"
#include "statespace/causal_conv1d.h"
#include "storage.h"

namespace statespace::cuda {

inline constexpr int kConvThreads = 128;

/// Widths that kernels know at compile time; others read their inputs again for every output.
inline constexpr int kMostConvWidth = 8;

/// Steps of a piece: so many that the sums that pieces leave stay small, so few that a device has work.
inline int64_t conv_piece_steps(const CausalConv1dInputs& args) {
  constexpr int64_t kManyBlocks = 8192;
  int64_t steps = 64;
  while (args.batch * args.seq_len / steps * args.dim / kConvThreads > kManyBlocks) steps *= 2;
  return steps;
}

/// Input `step` of a sequence; those before its first one come from the initial state.
template <Format kFormat>
__device__ __forceinline__ float conv_input(const CausalConv1dInputs& args, const SequenceSpan& span, int64_t step,
                                            int64_t channel) {
  if (step >= span.begin) {
    return load_entry<kFormat>(args.x, row_offset(args.x, span.batch, step) + channel * args.x.inner_stride);
  }
  if (args.initial_states == nullptr || span.initial_row < 0) return 0.0f;
  return args.initial_states[(span.initial_row * args.dim + channel) * (args.width - 1) + step - span.begin +
                             args.width - 1];
}

/// bias + sum_w weight[w] x[t - W + 1 + w], inputs read from memory: for the widths without a kernel of their own.
template <Format kFormat>
__device__ __forceinline__ float conv_at(const CausalConv1dInputs& args, const SequenceSpan& span, int64_t step,
                                         int64_t channel) {
  float pre = args.bias != nullptr ? args.bias[channel] : 0.0f;
  for (int64_t w = 0; w < args.width; ++w) {
    pre += args.weight[channel * args.width + w] * conv_input<kFormat>(args, span, step - args.width + 1 + w, channel);
  }
  return pre;
}

/// Moves a window by one step.
template <int kWidth>
__device__ __forceinline__ void push(float (&window)[kWidth], float next) {
#pragma unroll
  for (int w = 0; w + 1 < kWidth; ++w) window[w] = window[w + 1];
  window[kWidth - 1] = next;
}

/// bias + <weight, window>.
template <int kWidth>
__device__ __forceinline__ float convolve(const float (&weight)[kWidth], const float (&window)[kWidth], float bias) {
  float pre = bias;
#pragma unroll
  for (int w = 0; w < kWidth; ++w) pre += weight[w] * window[w];
  return pre;
}

/// The weights of a channel, and its inputs before `step` where the window's last place is free.
template <Format kFormat, int kWidth>
__device__ __forceinline__ void load_conv(const CausalConv1dInputs& args, const SequenceSpan& span, int64_t step,
                                          int64_t channel, float (&weight)[kWidth], float (&window)[kWidth]) {
#pragma unroll
  for (int w = 0; w < kWidth; ++w) {
    weight[w] = args.weight[channel * kWidth + w];
    window[w] = w == 0 ? 0.0f : conv_input<kFormat>(args, span, step - kWidth + w, channel);
  }
}

/// Calls with_width(std::integral_constant<int, W>{}) for widths up to kMostConvWidth, with 0 for others.
template <int kWidth = kMostConvWidth, typename WithWidth>
Status dispatch_conv_width(int64_t width, const WithWidth& with_width) {
  if constexpr (kWidth == 0) {
    return with_width(std::integral_constant<int, 0>{});
  } else {
    if (width == kWidth) return with_width(std::integral_constant<int, kWidth>{});
    return dispatch_conv_width<kWidth - 1>(width, with_width);
  }
}

}  // namespace statespace::cuda
