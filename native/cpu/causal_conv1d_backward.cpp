/// Causal depthwise convolution, backward.
///
///   d[t] = grad_out[t] act'(pre[t])        dbias = sum d        dweight[w] = sum_t d[t] x[t - W + 1 + w]
///   dx[s] = sum_w weight[w] d[s + W - 1 - w], also at s before the sequence: the gradient of the initial state
///
/// pre is computed again. Oracle: packages/ssd-core causalConv1dBackwardRef; native/test/causal_conv1d_grad_test.cpp
/// holds one in double.
/// Layout: 16 channels to a vector, chunks of 16 steps from the end of a segment to its start, tile after tile inside
/// the chunk. Inputs and d of a tile stay in L1; the W - 1 values of d that reach back over the chunk's start are kept
/// per tile. A segment that does not end its sequence computes the d that it needs from the next one again. Sums over
/// time are kept per run of segments and added in order at the end, so no thread count changes a bit.
#include "isa_kernels.h"
#include "conv_rows.h"
#include "parallel.h"
#include "scratch.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

constexpr int64_t kChunk = 16;

struct ConvBackwardPass {
  const CausalConv1dBackwardArgs& args;
  const float* taps;  // [w][channel]
  int64_t row;        // length of its rows
  float* sums;        // [run][w, then bias][channel]
};

/// Memory of one worker: the tile's inputs and d, and d of later steps per tile.
struct ConvTile {
  float* x;      // [step - W + 1 ...][lane], kChunk + W - 1 rows
  float* d;      // [step][lane], kChunk + W - 1 rows
  float* later;  // [tile][W - 1][lane]

  static int64_t floats(int64_t width, int64_t tiles) noexcept {
    return (2 * (kChunk + width - 1) + tiles * (width - 1)) * kLanes;
  }
  ConvTile(float* memory, int64_t width) noexcept
      : x(memory), d(x + (kChunk + width - 1) * kLanes), later(d + (kChunk + width - 1) * kLanes) {}
};

/// d of one step from its inputs x[0 .. width) (rows of lanes).
template <int kWidth, bool kSilu>
STATESPACE_INLINE Floats delta_of(Floats grad, const float* x, int64_t width, const Floats* weights,
                                  const float* taps, int64_t row, Floats bias, const Exp2Constants& constants) {
  if (!kSilu) return grad;
  Floats pre = bias;
  for (int64_t w = 0; w < width; ++w) {
    pre = fma(load(x + w * kLanes), kWidth > 0 ? weights[w] : load(taps + w * row), pre);
  }
  const Floats sigma = logistic_of(pre, constants);
  return grad * sigma * fma(pre, 1.0f - sigma, broadcast(1.0f));
}

/// One tile of one chunk: steps [begin, begin + steps) of the segment's sequence. Writes dx, adds to `sums`.
template <int kWidth, bool kSilu>
void chunk_tile(const ConvBackwardPass& pass, const ConvSegment& segment, int64_t begin, int64_t steps,
                int64_t channel, const ConvTile& tile, float* later, float* sums) noexcept {
  const CausalConv1dBackwardArgs& args = pass.args;
  const Exp2Constants constants = exp2_constants();
  const int64_t width = kWidth > 0 ? kWidth : args.width;
  const int64_t count = smaller<int64_t>(kLanes, args.dim - channel);
  const float* taps = pass.taps + channel;
  const Floats bias = args.bias != nullptr ? load_lanes(args.bias + channel, count) : Floats{};
  Floats weights[kWidth > 0 ? kWidth : 1], totals[kWidth > 0 ? kWidth : 1];
  if (kWidth > 0) {
    for (int w = 0; w < kWidth; ++w) {
      weights[w] = load(taps + w * pass.row);
      totals[w] = load(sums + w * pass.row + channel);
    }
  }
  Floats total = load(sums + width * pass.row + channel);

  for (int64_t i = 0; i < steps + width - 1; ++i) {
    store(tile.x + i * kLanes, load_input(args, segment, begin - width + 1 + i, channel, count));
  }
  const float* grad =
      args.grad_out.data + segment.batch * args.grad_out.batch_stride + begin * args.grad_out.len_stride + channel;
  for (int64_t i = 0; i < steps; ++i) {
    const float* x = tile.x + i * kLanes;
    const Floats d = delta_of<kWidth, kSilu>(load_lanes(grad + i * args.grad_out.len_stride, count), x, width,
                                             weights, taps, pass.row, bias, constants);
    store(tile.d + i * kLanes, d);
    total += d;
    for (int64_t w = 0; w < width; ++w) {
      if (kWidth > 0) {
        totals[w] = fma(d, load(x + w * kLanes), totals[w]);
      } else {
        float* sum = sums + w * pass.row + channel;
        store(sum, fma(d, load(x + w * kLanes), load(sum)));
      }
    }
  }
  store(sums + width * pass.row + channel, total);
  if (kWidth > 0) {
    for (int w = 0; w < kWidth; ++w) store(sums + w * pass.row + channel, totals[w]);
  }

  for (int64_t i = 0; i < width - 1; ++i) store(tile.d + (steps + i) * kLanes, load(later + i * kLanes));
  if (args.grad_x != nullptr) {
    float* to = args.grad_x + (segment.batch * args.seq_len + begin) * args.dim + channel;
    for (int64_t i = 0; i < steps; ++i) {
      Floats dx = {};
      for (int64_t w = 0; w < width; ++w) {
        dx = fma(load(tile.d + (i + width - 1 - w) * kLanes), kWidth > 0 ? weights[w] : load(taps + w * pass.row), dx);
      }
      const int64_t from_end = segment.last - (begin + i);
      if (args.grad_final_states != nullptr && from_end < width) {
        dx += load_state(args.grad_final_states, segment.index, args.dim, width, channel, count, width - 1 - from_end);
      }
      store_lanes(to + i * args.dim, dx, count);
    }
  }
  for (int64_t i = 0; i < width - 1; ++i) store(later + i * kLanes, load(tile.d + i * kLanes));
}

/// d of the W - 1 steps from segment.end on, zero beyond the sequence.
template <int kWidth, bool kSilu>
void load_later(const ConvBackwardPass& pass, const ConvSegment& segment, int64_t channel, const ConvTile& tile,
                float* later) noexcept {
  const CausalConv1dBackwardArgs& args = pass.args;
  const Exp2Constants constants = exp2_constants();
  const int64_t width = kWidth > 0 ? kWidth : args.width;
  const int64_t count = smaller<int64_t>(kLanes, args.dim - channel);
  const Floats bias = args.bias != nullptr ? load_lanes(args.bias + channel, count) : Floats{};
  for (int64_t i = 0; i < width - 1; ++i) {
    const int64_t t = segment.end + i;
    Floats d = {};
    if (t < segment.last) {
      for (int64_t w = 0; w < width; ++w) {
        store(tile.x + w * kLanes, load_input(args, segment, t - width + 1 + w, channel, count));
      }
      const float* grad =
          args.grad_out.data + segment.batch * args.grad_out.batch_stride + t * args.grad_out.len_stride + channel;
      d = delta_of<0, kSilu>(load_lanes(grad, count), tile.x, width, nullptr, pass.taps + channel, pass.row, bias,
                             constants);
    }
    store(later + i * kLanes, d);
  }
}

/// Gradient of the initial state from d of the first W - 1 steps.
void store_initial(const ConvBackwardPass& pass, const ConvSegment& segment, int64_t channel,
                   const float* later) noexcept {
  const CausalConv1dBackwardArgs& args = pass.args;
  const int64_t width = args.width;
  const int64_t count = smaller<int64_t>(kLanes, args.dim - channel);
  for (int64_t j = 0; j < width - 1; ++j) {
    // Entry j stands at step first - W + 1 + j and meets d[first + j - w], w = 0 .. j.
    Floats dx = {};
    for (int64_t w = 0; w <= j; ++w) {
      dx = fma(load(later + (j - w) * kLanes), load(pass.taps + w * pass.row + channel), dx);
    }
    const int64_t from_end = segment.last - (segment.first - width + 1 + j);
    if (args.grad_final_states != nullptr && from_end < width) {
      dx += load_state(args.grad_final_states, segment.index, args.dim, width, channel, count, width - 1 - from_end);
    }
    store_state(args.grad_initial_states, segment.index, args.dim, width, channel, count, j, dx);
  }
}

void prefetch_chunk(const ConvBackwardPass& pass, const ConvSegment& segment, int64_t begin, int64_t steps,
                    int64_t channel) noexcept {
  const CausalConv1dBackwardArgs& args = pass.args;
  for (int64_t t = begin; t < begin + steps; ++t) {
    __builtin_prefetch(args.x.data + segment.batch * args.x.batch_stride + t * args.x.len_stride + channel, 0, 2);
    __builtin_prefetch(
        args.grad_out.data + segment.batch * args.grad_out.batch_stride + t * args.grad_out.len_stride + channel, 0, 2);
    if (args.grad_x != nullptr) {
      __builtin_prefetch(args.grad_x + (segment.batch * args.seq_len + t) * args.dim + channel, 1, 3);
    }
  }
}

template <int kWidth, bool kSilu>
void backward_segment(const ConvBackwardPass& pass, const ConvSegment& segment, const ConvTile& tile,
                      float* sums) noexcept {
  const CausalConv1dBackwardArgs& args = pass.args;
  const int64_t later_size = (args.width - 1) * kLanes;
  for (int64_t channel = 0; channel < args.dim; channel += kLanes) {
    load_later<kWidth, kSilu>(pass, segment, channel, tile, tile.later + channel / kLanes * later_size);
  }
  const int64_t chunks = ceil_div(segment.end - segment.begin, kChunk);
  for (int64_t chunk = chunks - 1; chunk >= 0; --chunk) {
    const int64_t begin = segment.begin + chunk * kChunk;
    const int64_t steps = smaller(kChunk, segment.end - begin);
    for (int64_t channel = 0; channel < args.dim; channel += kLanes) {
      if (channel + kLanes < args.dim) {
        prefetch_chunk(pass, segment, begin, steps, channel + kLanes);
      } else if (chunk > 0) {
        prefetch_chunk(pass, segment, begin - kChunk, kChunk, 0);
      }
      chunk_tile<kWidth, kSilu>(pass, segment, begin, steps, channel, tile,
                                tile.later + channel / kLanes * later_size, sums);
    }
  }
  if (args.grad_initial_states != nullptr && segment.begin == segment.first) {
    for (int64_t channel = 0; channel < args.dim; channel += kLanes) {
      store_initial(pass, segment, channel, tile.later + channel / kLanes * later_size);
    }
  }
}

using SegmentFn = void (*)(const ConvBackwardPass&, const ConvSegment&, const ConvTile&, float*) noexcept;

template <bool kSilu>
SegmentFn segment_of_width(int64_t width) noexcept {
  switch (width) {
    case 2:
      return backward_segment<2, kSilu>;
    case 3:
      return backward_segment<3, kSilu>;
    case 4:
      return backward_segment<4, kSilu>;
    case 5:
      return backward_segment<5, kSilu>;
    case 6:
      return backward_segment<6, kSilu>;
    case 7:
      return backward_segment<7, kSilu>;
    case 8:
      return backward_segment<8, kSilu>;
    default:
      return backward_segment<0, kSilu>;
  }
}

/// Segments of at most `steps` steps that sequence `index` is cut into; an empty sequence still has one.
int64_t segments_of(const CausalConv1dInputs& args, int64_t index, int64_t steps) noexcept {
  const ConvSegment whole = conv_sequence(args, index);
  return larger<int64_t>(1, ceil_div(whole.last - whole.first, steps));
}

/// Adds the runs in order into grad_weight (D, W) and grad_bias (D).
void add_runs(const ConvBackwardPass& pass, int64_t runs) noexcept {
  const CausalConv1dBackwardArgs& args = pass.args;
  const int64_t size = (args.width + 1) * pass.row;
  for_ranges(args.dim, 1024, [&](int64_t begin, int64_t end) noexcept {
    for (int64_t w = 0; w <= args.width; ++w) {
      for (int64_t d = begin; d < end; ++d) {
        float sum = 0;
        for (int64_t run = 0; run < runs; ++run) sum += pass.sums[run * size + w * pass.row + d];
        if (w < args.width) {
          if (args.grad_weight != nullptr) args.grad_weight[d * args.width + w] = sum;
        } else if (args.grad_bias != nullptr) {
          args.grad_bias[d] = sum;
        }
      }
    }
  });
}

/// Sums over time are kept per run, so their number bounds that memory.
constexpr int64_t kMostRuns = 64;

}  // namespace

Status check_causal_conv1d(const CausalConv1dInputs& args) noexcept;

Status causal_conv1d_backward(const CausalConv1dBackwardArgs& args) noexcept {
  const Status status = check_causal_conv1d(args);
  if (status != Status::kOk) return status;
  if (args.batch * args.seq_len * args.dim > 0 && args.grad_out.data == nullptr) return Status::kBadArgument;
  const int64_t sequences = conv_sequences(args);
  const int64_t row = round_up(args.dim, kLanes);
  const int64_t tiles = row / kLanes;

  // Segments are long enough that the d computed twice at their ends does not count.
  const int64_t steps = larger<int64_t>(round_up(ceil_div(args.batch * args.seq_len, kMostRuns), kChunk),
                                        larger<int64_t>(64, 16 * args.width));
  int64_t segments = 0;
  for (int64_t i = 0; i < sequences; ++i) segments += segments_of(args, i, steps);
  const int64_t runs = larger<int64_t>(1, smaller(kMostRuns, segments));
  const int64_t sums_size = (args.width + 1) * row;
  const int32_t workers = worker_limit();
  const int64_t worker_size = ConvTile::floats(args.width, tiles);
  const Scratch taps(args.width * row);
  const Scratch sums(runs * sums_size);
  const Scratch memory(workers * worker_size);
  if (!taps.ok() || !sums.ok() || !memory.ok()) return Status::kOutOfMemory;
  if (args.dim > 0) fill_taps(args.weight, args.dim, args.width, row, taps.data());
  const ConvBackwardPass pass = {args, taps.data(), row, sums.data()};
  const SegmentFn run_segment = args.activation == Activation::kSilu ? segment_of_width<true>(args.width)
                                                                      : segment_of_width<false>(args.width);
  for_chunks(runs, workers, [&](int64_t run, int32_t worker) noexcept {
    const ConvTile tile(memory.data() + worker * worker_size, args.width);
    float* mine = sums.data() + run * sums_size;
    for (int64_t i = 0; i < sums_size; i += kLanes) store(mine + i, Floats{});
    const int64_t from = segments * run / runs;
    const int64_t to = segments * (run + 1) / runs;
    int64_t first = 0;  // number of the sequence's first segment
    for (int64_t i = 0; i < sequences && first < to; ++i) {
      const int64_t count = segments_of(args, i, steps);
      for (int64_t k = larger<int64_t>(0, from - first); k < smaller(count, to - first); ++k) {
        ConvSegment segment = conv_sequence(args, i);
        segment.begin = segment.first + k * steps;
        segment.end = smaller(segment.begin + steps, segment.last);
        run_segment(pass, segment, tile, mine);
      }
      first += count;
    }
  });
  add_runs(pass, runs);
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS
