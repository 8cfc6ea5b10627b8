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

Status check_causal_conv1d(const CausalConv1dInputs& args) noexcept {
  if (args.batch < 0 || args.seq_len < 0 || args.dim < 0 || args.width < 1 || args.width > kCausalConv1dMaxWidth) {
    return Status::kBadArgument;
  }
  const bool empty = args.batch == 0 || args.seq_len == 0 || args.dim == 0;
  if (!empty && args.x.data == nullptr) return Status::kBadArgument;
  if (args.dim > 0 && args.weight == nullptr) return Status::kBadArgument;
  return check_sequences(args.sequences, args.batch, args.seq_len);
}

namespace {

struct ConvPass {
  const CausalConv1dArgs& args;
  const float* taps;  // [w][channel]
  int64_t row;        // length of its rows
  bool past_cache;    // the output is large and aligned: store it past the caches
};

template <bool kSilu>
STATESPACE_INLINE Floats activate(Floats v, const Exp2Constants& constants) {
  return kSilu ? v * logistic_of(v, constants) : v;
}

/// One row whose inputs all lie in the sequence. kWidth 0 takes the width at run time.
template <int kWidth, bool kSilu>
void whole_row(const ConvPass& pass, const float* x, int64_t x_step, float* out) noexcept {
  const CausalConv1dArgs& args = pass.args;
  const Exp2Constants constants = exp2_constants();
  const int64_t width = kWidth > 0 ? kWidth : args.width;
  const float* oldest = x - (width - 1) * x_step;
  int64_t channel = 0;
  for (; channel + kLanes <= args.dim; channel += kLanes) {
    Floats sum = args.bias != nullptr ? load(args.bias + channel) : Floats{};
    for (int64_t w = 0; w < width; ++w) {
      sum = fma(load(oldest + w * x_step + channel), load(pass.taps + w * pass.row + channel), sum);
    }
    sum = activate<kSilu>(sum, constants);
    if (pass.past_cache) {
      stream(out + channel, sum);
    } else {
      store(out + channel, sum);
    }
  }
  if (channel == args.dim) return;
  const int64_t count = args.dim - channel;
  Floats sum = args.bias != nullptr ? load_partial(args.bias + channel, count) : Floats{};
  for (int64_t w = 0; w < width; ++w) {
    sum = fma(load_partial(oldest + w * x_step + channel, count), load(pass.taps + w * pass.row + channel), sum);
  }
  store_partial(out + channel, activate<kSilu>(sum, constants), count);
}

/// One row near the start of its sequence.
template <bool kSilu>
void first_row(const ConvPass& pass, const ConvSegment& segment, int64_t t, float* out) noexcept {
  const CausalConv1dArgs& args = pass.args;
  const Exp2Constants constants = exp2_constants();
  for (int64_t channel = 0; channel < args.dim; channel += kLanes) {
    const int64_t count = smaller<int64_t>(kLanes, args.dim - channel);
    Floats sum = args.bias != nullptr ? load_lanes(args.bias + channel, count) : Floats{};
    for (int64_t w = 0; w < args.width; ++w) {
      sum = fma(load_input(args, segment, t - args.width + 1 + w, channel, count),
                load(pass.taps + w * pass.row + channel), sum);
    }
    store_lanes(out + channel, activate<kSilu>(sum, constants), count);
  }
}

using RowFn = void (*)(const ConvPass&, const float*, int64_t, float*) noexcept;

template <bool kSilu>
RowFn row_of_width(int64_t width) noexcept {
  switch (width) {
    case 2:
      return whole_row<2, kSilu>;
    case 3:
      return whole_row<3, kSilu>;
    case 4:
      return whole_row<4, kSilu>;
    case 5:
      return whole_row<5, kSilu>;
    case 6:
      return whole_row<6, kSilu>;
    case 7:
      return whole_row<7, kSilu>;
    case 8:
      return whole_row<8, kSilu>;
    default:
      return whole_row<0, kSilu>;
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
  const RowFn row = silu ? row_of_width<true>(args.width) : row_of_width<false>(args.width);
  for (int64_t t = begin; t < end; ++t) {
    float* out = rows.out + (t - rows.begin) * rows.out_step;
    if (t - segment.first >= args.width - 1) {
      row(pass, rows.x + (t - rows.origin) * rows.x_step, rows.x_step, out);
    } else if (silu) {
      first_row<true>(pass, segment, t, out);
    } else {
      first_row<false>(pass, segment, t, out);
    }
  }
}

/// Steps [begin, end) of batch row `batch`. `memory` has room for the rows that are not in place.
void convolve_piece(const ConvPass& pass, int64_t batch, int64_t begin, int64_t end, float* memory) noexcept {
  const CausalConv1dArgs& args = pass.args;
  const bool x_in_place = in_place(args.x, 1, args.dim), out_in_place = in_place(args.out, 1, args.dim);
  PieceRows rows = {row_at(args.x, batch, 0), args.x.len_stride, row_at(args.out, batch, begin), args.out.len_stride, 0,
                    begin};
  if (!x_in_place) {
    rows.origin = larger<int64_t>(0, begin - args.width + 1);
    read_rows(args.x, {batch, rows.origin, end - rows.origin, 0, args.dim, args.dim}, memory, pass.row);
    rows.x = memory, rows.x_step = pass.row;
    memory += (end - rows.origin) * pass.row;
  }
  if (!out_in_place) rows.out = memory, rows.out_step = pass.row;
  const int64_t sequences = sequence_count(args);
  for (int64_t i = find_sequence(args, batch, begin); i < sequences; ++i) {
    const ConvSegment segment = conv_sequence(args, i);
    if (segment.batch != batch || segment.first >= end) break;
    const int64_t from = larger(begin, segment.first), to = smaller(end, segment.last);
    convolve_rows(pass, segment, from, to, rows);
    if (out_in_place || from >= to) continue;
    write_rows(rows.out + (from - begin) * pass.row, pass.row, args.out,
               {batch, from, to - from, 0, args.dim, args.dim});
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

/// Outputs beyond this many bytes leave the caches before they are read again.
constexpr int64_t kStreamBytes = int64_t{32} << 20;

/// Whether rows of `out` are worth storing past the caches, and every vector of them is aligned.
bool leaves_caches(const SequenceTarget& out, int64_t dim, int64_t elements) noexcept {
  const bool aligned = reinterpret_cast<uintptr_t>(out.data) % sizeof(Floats) == 0 && dim % kLanes == 0 &&
                       out.batch_stride % kLanes == 0 && out.len_stride % kLanes == 0;
  return in_place(out, 1, dim) && aligned && elements * static_cast<int64_t>(sizeof(float)) >= kStreamBytes;
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
  const int64_t grain = larger<int64_t>(1, kElementGrain / args.dim);
  const int64_t pieces = ceil_div(args.seq_len, grain);
  const int64_t steps = smaller(grain, args.seq_len);
  const int64_t staged = (in_place(args.x, 1, args.dim) ? 0 : steps + args.width - 1) +
                         (in_place(args.out, 1, args.dim) ? 0 : steps);
  const int32_t workers = static_cast<int32_t>(smaller<int64_t>(worker_limit(), args.batch * pieces));
  const Scratch taps(args.width * row);
  const Scratch memory(workers * staged * row);
  if (!taps.ok() || !memory.ok()) return Status::kOutOfMemory;
  fill_taps(args.weight, args.dim, args.width, row, taps.data());
  clear_padding(args.sequences, args.out, 1, args.dim);
  const ConvPass pass = {args, taps.data(), row, leaves_caches(args.out, args.dim, elements)};
  for_chunks(args.batch * pieces, workers, [&](int64_t item, int32_t worker) noexcept {
    const int64_t begin = item % pieces * grain;
    convolve_piece(pass, item / pieces, begin, smaller(begin + grain, args.seq_len),
                   memory.data() + worker * staged * row);
  });
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS
