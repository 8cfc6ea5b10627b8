/// Causal depthwise convolution, forward.
///
///   out[t] = act(bias + sum_w weight[w] x[t - W + 1 + w])
///
/// Oracle: packages/ssd-core causalConv1dRef; native/test/causal_conv1d_test.cpp holds a second one in double.
/// Layout: (batch, length, channels), 16 channels to a vector. The kernel is bound by memory, so it walks whole rows in
/// order of address, which the hardware prefetches; the W - 1 rows before are still in L1 or L2. Only the first W - 1
/// steps of a sequence look at the initial state. Steps do not depend on one another: rows are cut freely.
#include "isa_kernels.h"
#include "conv_rows.h"
#include "parallel.h"
#include "scratch.h"

namespace statespace::STATESPACE_ISA_NS {

namespace {

/// `dim` channels from `first` on; taps and bias are those of them.
struct ConvPass {
  const CausalConv1dArgs& args;
  const float* taps;  // [w][channel]
  int64_t row;        // length of its rows
  bool past_cache;    // the output is large and aligned: store it past the caches
  int64_t first;
  int64_t dim;
  const float* bias;  // null: none

  ConvPass of_channels(int64_t begin, int64_t end) const noexcept {
    ConvPass part = *this;
    part.taps += begin, part.first = begin, part.dim = end - begin;
    if (bias != nullptr) part.bias += begin;
    return part;
  }
};

template <bool kSilu, int K>
STATESPACE_INLINE void activate(Floats (&v)[K], const Exp2Constants& constants) {
  if (!kSilu) return;
  Floats sigma[K];
  logistic_all(v, sigma, constants);
  for (int i = 0; i < K; ++i) v[i] *= sigma[i];
}

/// Neighbouring rows done together: they share the loads of their inputs and taps, and their chains of operations
/// fill each other's latencies.
constexpr int kRows = 4;

/// `kGroup` rows whose inputs all lie in the sequence. kWidth 0 takes the width at run time.
template <int kWidth, bool kSilu, int kGroup>
void whole_rows(const ConvPass& pass, const float* x, int64_t x_step, float* out, int64_t out_step) noexcept {
  const Exp2Constants constants = exp2_constants();
  const int64_t width = kWidth > 0 ? kWidth : pass.args.width;
  const float* oldest = x - (width - 1) * x_step;
  const bool biased = pass.args.bias != nullptr;
  int64_t channel = 0;
  for (; channel + kLanes <= pass.dim; channel += kLanes) {
    Floats sums[kGroup];
    const Floats bias = biased ? load(pass.bias + channel) : Floats{};
#pragma GCC unroll 4
    for (int i = 0; i < kGroup; ++i) sums[i] = bias;
    // The rows after these: the hardware does not follow so many streams by itself.
#pragma GCC unroll 4
    for (int i = 0; i < kGroup; ++i) prefetch(x + (i + kGroup) * x_step + channel);
    if (kWidth > 0 && kGroup > 1) {
      Floats taps[kWidth > 0 ? kWidth : 1];
#pragma GCC unroll 8
      for (int w = 0; w < kWidth; ++w) taps[w] = load(pass.taps + w * pass.row + channel);
#pragma GCC unroll 12
      for (int j = 0; j < kGroup + kWidth - 1; ++j) {
        const Floats input = load(oldest + j * x_step + channel);
#pragma GCC unroll 4
        for (int i = 0; i < kGroup; ++i) {
          if (j >= i && j - i < kWidth) sums[i] = fma(input, taps[j - i], sums[i]);
        }
      }
    } else {
      for (int64_t w = 0; w < width; ++w) {
        const Floats tap = load(pass.taps + w * pass.row + channel);
        for (int i = 0; i < kGroup; ++i) sums[i] = fma(load(oldest + (i + w) * x_step + channel), tap, sums[i]);
      }
    }
    activate<kSilu>(sums, constants);
#pragma GCC unroll 4
    for (int i = 0; i < kGroup; ++i) {
      if (pass.past_cache) {
        stream(out + i * out_step + channel, sums[i]);
      } else {
        store(out + i * out_step + channel, sums[i]);
      }
    }
  }
  if (channel == pass.dim) return;
  const int64_t count = pass.dim - channel;
  for (int i = 0; i < kGroup; ++i) {
    Floats sum[1] = {biased ? load_partial(pass.bias + channel, count) : Floats{}};
    for (int64_t w = 0; w < width; ++w) {
      const Floats input = load_partial(oldest + (i + w) * x_step + channel, count);
      sum[0] = fma(input, load(pass.taps + w * pass.row + channel), sum[0]);
    }
    activate<kSilu>(sum, constants);
    store_partial(out + i * out_step + channel, sum[0], count);
  }
}

/// One row near the start of its sequence.
template <bool kSilu>
void first_row(const ConvPass& pass, const ConvSegment& segment, int64_t t, float* out) noexcept {
  const CausalConv1dArgs& args = pass.args;
  const Exp2Constants constants = exp2_constants();
  for (int64_t channel = 0; channel < pass.dim; channel += kLanes) {
    const int64_t count = smaller<int64_t>(kLanes, pass.dim - channel);
    Floats sum[1] = {pass.bias != nullptr ? load_lanes(pass.bias + channel, count) : Floats{}};
    for (int64_t w = 0; w < args.width; ++w) {
      sum[0] = fma(load_input(args, segment, t - args.width + 1 + w, pass.first + channel, count),
                   load(pass.taps + w * pass.row + channel), sum[0]);
    }
    activate<kSilu>(sum, constants);
    store_lanes(out + channel, sum[0], count);
  }
}

using RowsFn = void (*)(const ConvPass&, const float*, int64_t, float*, int64_t) noexcept;

template <bool kSilu, int kGroup>
RowsFn rows_of_width(int64_t width) noexcept {
  switch (width) {
    case 2:
      return whole_rows<2, kSilu, kGroup>;
    case 3:
      return whole_rows<3, kSilu, kGroup>;
    case 4:
      return whole_rows<4, kSilu, kGroup>;
    case 5:
      return whole_rows<5, kSilu, kGroup>;
    case 6:
      return whole_rows<6, kSilu, kGroup>;
    case 7:
      return whole_rows<7, kSilu, kGroup>;
    case 8:
      return whole_rows<8, kSilu, kGroup>;
    default:
      return whole_rows<0, kSilu, kGroup>;
  }
}

/// The first sequence that ends behind step t of batch row `batch`, or lies in a later row.
int64_t find_sequence(const CausalConv1dInputs& args, int64_t batch, int64_t t) noexcept {
  if (args.sequences.spans == nullptr) return batch;
  int64_t low = 0;
  int64_t high = args.sequences.count;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    const SequenceSpan& span = args.sequences.spans[middle];
    if (span.batch < batch || (span.batch == batch && span.end <= t)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/// Rows of x and out of one piece of work: in place, or in a worker's memory.
struct PieceRows {
  const float* x;  // the row of step `origin`
  int64_t x_step;
  float* out;  // the row of step `begin`
  int64_t out_step;
  int64_t origin;
  int64_t begin;
};

/// Steps [begin, end) of one sequence.
void convolve_rows(const ConvPass& pass, const ConvSegment& segment, int64_t begin, int64_t end,
                   const PieceRows& rows) noexcept {
  const CausalConv1dArgs& args = pass.args;
  const bool silu = args.activation == Activation::kSilu;
  const RowsFn one = silu ? rows_of_width<true, 1>(args.width) : rows_of_width<false, 1>(args.width);
  const RowsFn group = silu ? rows_of_width<true, kRows>(args.width) : rows_of_width<false, kRows>(args.width);
  const auto out_at = [&](int64_t t) { return rows.out + (t - rows.begin) * rows.out_step; };
  const auto x_at = [&](int64_t t) { return rows.x + (t - rows.origin) * rows.x_step; };
  int64_t t = begin;
  for (; t < smaller(end, segment.first + args.width - 1); ++t) {
    if (silu) {
      first_row<true>(pass, segment, t, out_at(t));
    } else {
      first_row<false>(pass, segment, t, out_at(t));
    }
  }
  for (; t + kRows <= end; t += kRows) group(pass, x_at(t), rows.x_step, out_at(t), rows.out_step);
  for (; t < end; ++t) one(pass, x_at(t), rows.x_step, out_at(t), rows.out_step);
}

/// Steps [begin, end) of batch row `batch`. `memory` has room for the rows that are not in place.
void convolve_piece(const ConvPass& pass, int64_t batch, int64_t begin, int64_t end, float* memory) noexcept {
  const CausalConv1dArgs& args = pass.args;
  const int64_t row = round_up(pass.dim, kLanes);
  const bool x_in_place = in_place(args.x, 1, args.dim), out_in_place = in_place(args.out, 1, args.dim);
  PieceRows rows = {row_at(args.x, batch, 0) + pass.first,       args.x.len_stride,
                    row_at(args.out, batch, begin) + pass.first, args.out.len_stride, 0, begin};
  if (!x_in_place) {
    rows.origin = larger<int64_t>(0, begin - args.width + 1);
    read_rows(args.x, {batch, rows.origin, end - rows.origin, pass.first, pass.dim, args.dim}, memory, row);
    rows.x = memory, rows.x_step = row;
    memory += (end - rows.origin) * row;
  }
  if (!out_in_place) rows.out = memory, rows.out_step = row;
  const int64_t sequences = sequence_count(args);
  for (int64_t i = find_sequence(args, batch, begin); i < sequences; ++i) {
    const ConvSegment segment = conv_sequence(args, i);
    if (segment.batch != batch || segment.first >= end) break;
    const int64_t from = larger(begin, segment.first), to = smaller(end, segment.last);
    convolve_rows(pass, segment, from, to, rows);
    if (out_in_place || from >= to) continue;
    write_rows(rows.out + (from - begin) * row, row, args.out,
               {batch, from, to - from, pass.first, pass.dim, args.dim});
  }
  if (pass.past_cache) stream_fence();
}

/// final_states[s][d][j] = entry j of the last W - 1 of [initial state, x].
void store_final_states(const CausalConv1dArgs& args, int64_t index) noexcept {
  const ConvSegment segment = conv_sequence(args, index);
  if (segment.final_row < 0) return;
  for (int64_t channel = 0; channel < args.dim; channel += kLanes) {
    const int64_t count = smaller<int64_t>(kLanes, args.dim - channel);
    for (int64_t j = 0; j + 1 < args.width; ++j) {
      const Floats value = load_input(args, segment, segment.last - args.width + 1 + j, channel, count);
      store_state(args.final_states, segment.final_row, args.dim, args.width, channel, count, j, value);
    }
  }
}

/// Whole rows where channels are neighbours; in place long runs of them, which the memory likes, where that leaves enough
/// pieces for the workers. Where the unit stride is elsewhere, probably along L, a kilobyte along it and channels enough
/// for the vectors: their lines stay in the second cache until all of their steps are used. Steps are a multiple of kRows.
PieceSize piece_size(const CausalConv1dArgs& args, bool all_in_place) noexcept {
  if (args.x.inner_stride != 1 || args.out.inner_stride != 1) return {256, smaller<int64_t>(64, args.dim)};
  constexpr int64_t kLongest = 4, kPiecesOfWorker = 8;
  const int64_t least = larger<int64_t>(1, kElementGrain / args.dim);
  if (!all_in_place) return {round_up(least, kRows), args.dim};
  const int64_t share = args.batch * args.seq_len / (kPiecesOfWorker * worker_limit());
  return {round_up(larger(least, smaller(kLongest * least, share)), kRows), args.dim};
}

}  // namespace

Status causal_conv1d(const CausalConv1dArgs& args) noexcept {
  const Status status = check_causal_conv1d(args);
  if (status != Status::kOk) return status;
  const int64_t elements = args.batch * args.seq_len * args.dim;
  if (elements > 0 && args.out.data == nullptr) return Status::kBadArgument;
  if (args.final_states != nullptr && args.width > 1) {
    for_chunks(sequence_count(args), worker_limit(),
               [&](int64_t index, int32_t) noexcept { store_final_states(args, index); });
  }
  if (elements == 0) return Status::kOk;

  const int64_t row = round_up(args.dim, kLanes);
  const bool x_in_place = in_place(args.x, 1, args.dim), out_in_place = in_place(args.out, 1, args.dim);
  const PieceSize size = piece_size(args, x_in_place && out_in_place);
  const int64_t pieces = ceil_div(args.seq_len, size.steps), blocks = ceil_div(args.dim, size.channels);
  const int64_t steps = smaller(size.steps, args.seq_len);
  const int64_t staged = (x_in_place ? 0 : steps + args.width - 1) + (out_in_place ? 0 : steps);
  const int64_t items = args.batch * pieces * blocks;
  const int32_t workers = static_cast<int32_t>(smaller<int64_t>(worker_limit(), items));
  const int64_t worker_size = staged * round_up(size.channels, kLanes);
  const Scratch taps(args.width * row);
  const Scratch memory(workers * worker_size);
  if (!taps.ok() || !memory.ok()) return Status::kOutOfMemory;
  fill_taps(args.weight, args.dim, args.width, row, taps.data());
  clear_padding(args.sequences, args.out, 1, args.dim);
  const bool past_cache = leaves_caches(args.out, args.dim, args.batch * args.seq_len);
  const ConvPass pass = {args, taps.data(), row, past_cache, 0, args.dim, args.bias};
  for_chunks(items, workers, [&](int64_t item, int32_t worker) noexcept {
    const int64_t channel = item % blocks * size.channels, piece = item / blocks;
    const int64_t begin = piece % pieces * size.steps;
    convolve_piece(pass.of_channels(channel, smaller(channel + size.channels, args.dim)), piece / pieces, begin,
                   smaller(begin + size.steps, args.seq_len), memory.data() + worker * worker_size);
  });
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS
