/// Causal depthwise convolution, backward.
///
///   d[t] = grad_out[t] act'(pre[t])        dbias = sum d        dweight[w] = sum_t d[t] x[t - W + 1 + w]
///   dx[s] = sum_w weight[w] d[s + W - 1 - w], also at s before the sequence: the gradient of the initial state
///
/// pre is computed again. Oracle: packages/ssd-core causalConv1dBackwardRef; native/test/causal_conv1d_grad_test.cpp
/// holds one in double.
/// Layout: pieces of some steps and channels, lanes over channels; one that lies inside its segment is done in one pass
/// (causal_conv1d_adjoint.h), others row by row through a worker's memory. dx lags W - 1 steps behind d, so the last
/// W - 1 rows of d are kept from piece to piece. A
/// segment that does not end its sequence computes the first d of the next one for itself. Sums over time are kept
/// per run of segments and added in order at the end, so no thread count changes a bit.
#include "isa_kernels.h"
#include "causal_conv1d_adjoint.h"
#include "parallel.h"
#include "scratch.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

/// Rows of one worker, a block of channels each.
struct ConvRows {
  float* x;       // inputs from W - 1 steps before the piece on, where they cannot be read in place
  float* grad;    // grad_out of the piece and grad_x, likewise
  float* d;       // from W - 1 steps before the piece on
  float* before;  // [block of channels][W - 1]: d of the steps before the next piece

  static int64_t floats(int64_t width, PieceSize size, int64_t dim) noexcept {
    const int64_t blocks = ceil_div(dim, size.channels);
    return (2 * (size.steps + width - 1) + size.steps + blocks * (width - 1)) * size.channels;
  }
  ConvRows(float* memory, int64_t width, PieceSize size) noexcept
      : x(memory),
        grad(x + (size.steps + width - 1) * size.channels),
        d(grad + size.steps * size.channels),
        before(d + (size.steps + width - 1) * size.channels) {}
};

/// Rows of d of the piece; zero beyond the sequence.
template <int kWidth, bool kSilu>
void deltas(const ConvBackwardPass& pass, const ConvSegment& segment, const ConvPiece& piece, float* d) noexcept {
  const CausalConv1dBackwardArgs& args = pass.args;
  const Exp2Constants constants = exp2_constants();
  const int64_t width = kWidth > 0 ? kWidth : args.width;
  for (int64_t i = 0; i < piece.steps; ++i) {
    float* to = d + i * pass.size.channels;
    if (piece.begin + i >= segment.last) {
      fill_zero(to, pass.size.channels);
      continue;
    }
    const float* grad = piece.grad + i * piece.grad_step;
    const float* x = piece.x + i * piece.x_step;
    for (int64_t c = 0; c < piece.count; c += kLanes) {
      const int64_t lanes = smaller<int64_t>(kLanes, piece.count - c);
      Floats value = load_lanes(grad + c, lanes);
      if (kSilu) {
        const float* taps = pass.taps + piece.channel + c;
        Floats pre = args.bias != nullptr ? load_lanes(args.bias + piece.channel + c, lanes) : Floats{};
#pragma GCC unroll 8
        for (int64_t w = 0; w < width; ++w) pre = fma(load(x + w * piece.x_step + c), load(taps + w * pass.row), pre);
        const Floats sigma = logistic_of(pre, constants);
        value *= sigma * fma(pre, 1.0f - sigma, broadcast(1.0f));
      }
      store(to + c, value);
    }
  }
}

/// sums[w] += sum_t d[t] x[t + w], and in the row after the last tap sum_t d[t].
template <int kWidth>
void add_to_sums(const ConvBackwardPass& pass, const ConvPiece& piece, const float* d, float* sums) noexcept {
  const int64_t width = kWidth > 0 ? kWidth : pass.args.width;
  for (int64_t c = 0; c < piece.count; c += kLanes) {
    float* to = sums + piece.channel + c;
    const float* x = piece.x + c;
    for (int64_t w = 0; w < width; w += 4) {
      // Four taps share the loads of d; their sums stay in registers.
      const int64_t taps = smaller<int64_t>(4, width - w);
      Floats total[4] = {};
      for (int64_t i = 0; i < piece.steps; ++i) {
        const Floats factor = load(d + i * pass.size.channels + c);
#pragma GCC unroll 4
        for (int64_t k = 0; k < 4; ++k) {
          if (k < taps) total[k] = fma(factor, load(x + (i + w + k) * piece.x_step), total[k]);
        }
      }
#pragma GCC unroll 4
      for (int64_t k = 0; k < 4; ++k) {
        if (k < taps) store(to + (w + k) * pass.row, load(to + (w + k) * pass.row) + total[k]);
      }
    }
    Floats total = {};
    for (int64_t i = 0; i < piece.steps; ++i) total += load(d + i * pass.size.channels + c);
    store(to + width * pass.row, load(to + width * pass.row) + total);
  }
}

/// dx of the steps that lie W - 1 before those of the piece; d points at the oldest row it needs. Steps before the
/// sequence are entries of the initial state; steps of the segment before this one are not ours.
template <int kWidth>
void store_gradients(const ConvBackwardPass& pass, const ConvSegment& segment, const ConvPiece& piece,
                     const float* d) noexcept {
  const CausalConv1dBackwardArgs& args = pass.args;
  const int64_t width = kWidth > 0 ? kWidth : args.width;
  for (int64_t i = 0; i < piece.steps; ++i) {
    const int64_t s = piece.begin + i - width + 1;
    const bool initial = s < segment.first;
    if (initial ? args.grad_initial_states == nullptr || segment.initial_row < 0
                : s < segment.begin || piece.dx == nullptr) {
      continue;
    }
    const int64_t from_end = segment.last - s;
    for (int64_t c = 0; c < piece.count; c += kLanes) {
      const int64_t lanes = smaller<int64_t>(kLanes, piece.count - c);
      const int64_t channel = piece.channel + c;
      const float* taps = pass.taps + channel;
      Floats dx = {};
#pragma GCC unroll 8
      for (int64_t w = 0; w < width; ++w) {
        dx = fma(load(d + (i + width - 1 - w) * pass.size.channels + c), load(taps + w * pass.row), dx);
      }
      if (args.grad_final_states != nullptr && segment.final_row >= 0 && from_end < width) {
        dx += load_state(args.grad_final_states, segment.final_row, args.dim, width, channel, lanes,
                         width - 1 - from_end);
      }
      if (initial) {
        store_state(args.grad_initial_states, segment.initial_row, args.dim, width, channel, lanes,
                    s - segment.first + width - 1, dx);
      } else {
        store_lanes(piece.dx + i * piece.dx_step + c, dx, lanes);
      }
    }
  }
}

/// Whole blocks inside the sequence are read in place, ragged ones and those at its ends through L1.
void place_inputs(const ConvBackwardPass& pass, const ConvSegment& segment, ConvPiece& piece, float* rows) noexcept {
  const CausalConv1dBackwardArgs& args = pass.args;
  const int64_t row = pass.size.channels;
  const int64_t from = piece.begin - args.width + 1;
  const int64_t to = piece.begin + piece.steps;
  const bool direct = in_place(args.x, 1, args.dim);
  if (direct && piece.count % kLanes == 0 && from >= segment.first && to <= segment.last) {
    piece.x = row_at(args.x, segment.batch, from) + piece.channel;
    piece.x_step = args.x.len_stride;
    return;
  }
  const int64_t last = smaller(to, segment.last);
  // Steps whose rows are read one by one: those before the sequence, or all of them.
  const int64_t singly = direct ? last : smaller(last, segment.first);
  for (int64_t t = from; t < singly; ++t) {
    for (int64_t c = 0; c < piece.count; c += kLanes) {
      store(rows + (t - from) * row + c,
            load_input(args, segment, t, piece.channel + c, smaller<int64_t>(kLanes, piece.count - c)));
    }
  }
  const int64_t together = larger(from, segment.first);
  if (!direct && together < last) {
    read_rows(args.x, {segment.batch, together, last - together, piece.channel, piece.count, args.dim},
              rows + (together - from) * row, row);
  }
  piece.x = rows;
  piece.x_step = row;
}

/// Rows of grad_out and grad_x, which may share a worker's rows: d has been computed when dx is.
void place_gradients(const ConvBackwardPass& pass, const ConvSegment& segment, ConvPiece& piece,
                     float* rows) noexcept {
  const CausalConv1dBackwardArgs& args = pass.args;
  const int64_t row = pass.size.channels;
  piece.grad = rows, piece.grad_step = row;
  const int64_t steps = smaller(piece.steps, segment.last - piece.begin);
  if (in_place(args.grad_out, 1, args.dim)) {
    piece.grad = row_at(args.grad_out, segment.batch, piece.begin) + piece.channel;
    piece.grad_step = args.grad_out.len_stride;
  } else if (steps > 0) {
    read_rows(args.grad_out, {segment.batch, piece.begin, steps, piece.channel, piece.count, args.dim}, rows,
              row);
  }
  if (args.grad_x.data == nullptr) return;
  piece.dx = rows, piece.dx_step = row;
  if (!in_place(args.grad_x, 1, args.dim)) return;
  piece.dx = row_at(args.grad_x, segment.batch, piece.begin - args.width + 1) + piece.channel;
  piece.dx_step = args.grad_x.len_stride;
}

/// Writes the rows of grad_x back where they are not in place.
void write_gradients(const ConvBackwardPass& pass, const ConvSegment& segment, const ConvPiece& piece) noexcept {
  const CausalConv1dBackwardArgs& args = pass.args;
  const int64_t row = pass.size.channels;
  if (args.grad_x.data == nullptr || in_place(args.grad_x, 1, args.dim)) return;
  const int64_t from = piece.begin - args.width + 1;
  const int64_t own = larger(from, segment.begin), to = from + piece.steps;
  if (own >= to) return;
  write_rows(piece.dx + (own - from) * row, row, args.grad_x,
             {segment.batch, own, to - own, piece.channel, piece.count, args.dim});
}

/// Whether all steps of the piece belong to the segment, the W - 1 before them to its sequence, and nothing has to be
/// brought over.
bool is_inner(const ConvBackwardPass& pass, const ConvSegment& segment, const ConvPiece& piece) noexcept {
  return pass.in_place && piece.steps == pass.size.steps && piece.count % kLanes == 0 &&
         piece.begin - pass.args.width + 1 >= segment.first && piece.begin + pass.size.steps <= segment.end;
}

/// The piece at these steps and channels with its rows where they lie.
ConvPiece in_place_piece(const CausalConv1dBackwardArgs& args, const ConvSegment& segment, int64_t begin,
                         int64_t channel, PieceSize size) noexcept {
  const int64_t oldest = begin - args.width + 1;
  ConvPiece piece = {};
  piece.begin = begin, piece.steps = size.steps;
  piece.channel = channel, piece.count = smaller(size.channels, args.dim - channel);
  piece.x = row_at(args.x, segment.batch, oldest) + channel, piece.x_step = args.x.len_stride;
  piece.grad = row_at(args.grad_out, segment.batch, begin) + channel, piece.grad_step = args.grad_out.len_stride;
  if (args.grad_x.data != nullptr) {
    piece.dx = row_at(args.grad_x, segment.batch, oldest) + channel, piece.dx_step = args.grad_x.len_stride;
  }
  return piece;
}

STATESPACE_INLINE void copy_floats(const float* from, int64_t count, float* to) {
  for (int64_t i = 0; i < count; i += kLanes) store(to + i, load(from + i));
}

/// Only SiLU makes d depend on the bias, and only a bias that is there takes a register.
template <int kWidth, bool kSilu, int kSteps>
auto inner_piece_of(const CausalConv1dBackwardArgs& args) noexcept {
  return args.bias != nullptr ? inner_piece<kWidth, kSilu, kSilu, kSteps> : inner_piece<kWidth, kSilu, false, kSteps>;
}

template <int kWidth, bool kSilu>
void backward_segment(const ConvBackwardPass& pass, const ConvSegment& segment, const ConvRows& rows,
                      float* sums) noexcept {
  const CausalConv1dBackwardArgs& args = pass.args;
  const int64_t width = kWidth > 0 ? kWidth : args.width;
  const int64_t kept = (width - 1) * pass.size.channels;
  fill_zero(rows.before, ceil_div(args.dim, pass.size.channels) * kept);
  // The segment's own steps, then W - 1 more, whose d only completes dx.
  for (int64_t begin = segment.begin; begin < segment.end + width - 1;) {
    const bool own = begin < segment.end;
    const int64_t end = smaller(begin + pass.size.steps, own ? segment.end : segment.end + width - 1);
    for (int64_t channel = 0; channel < args.dim; channel += pass.size.channels) {
      ConvPiece piece = {};
      piece.begin = begin, piece.steps = end - begin;
      piece.channel = channel, piece.count = smaller(pass.size.channels, args.dim - channel);
      float* before = rows.before + channel / pass.size.channels * kept;
      if constexpr (kWidth > 0) {
        if (is_inner(pass, segment, piece)) {
          piece = in_place_piece(args, segment, begin, channel, pass.size);
          const bool last = channel + pass.size.channels >= args.dim;
          const ConvPiece next = in_place_piece(args, segment, last ? end : begin,
                                                last ? 0 : channel + pass.size.channels, pass.size);
          const int64_t skip = begin == segment.begin ? width - 1 : 0;
          if (pass.size.steps == kGroup) {
            inner_piece_of<kWidth, kSilu, kGroup>(args)(pass, piece, next, skip, before, sums);
          } else {
            inner_piece_of<kWidth, kSilu, kSmallPiece.steps>(args)(pass, piece, next, skip, before, sums);
          }
          continue;
        }
      }
      float* d = rows.d + kept;
      copy_floats(before, kept, rows.d);
      place_inputs(pass, segment, piece, rows.x);
      place_gradients(pass, segment, piece, rows.grad);
      deltas<kWidth, kSilu>(pass, segment, piece, d);
      if (own) add_to_sums<kWidth>(pass, piece, d, sums);
      store_gradients<kWidth>(pass, segment, piece, rows.d);
      write_gradients(pass, segment, piece);
      copy_floats(rows.d + piece.steps * pass.size.channels, kept, before);
    }
    begin = end;
  }
  if (pass.past_cache) stream_fence();
}

using SegmentFn = void (*)(const ConvBackwardPass&, const ConvSegment&, const ConvRows&, float*) noexcept;

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
void add_runs(const CausalConv1dBackwardArgs& args, const float* sums, int64_t row, int64_t runs) noexcept {
  const int64_t size = (args.width + 1) * row;
  for_ranges(args.dim, 1024, [&](int64_t begin, int64_t end) noexcept {
    for (int64_t w = 0; w <= args.width; ++w) {
      for (int64_t d = begin; d < end; d += kLanes) {
        Floats sum = {};
        for (int64_t run = 0; run < runs; ++run) sum += load(sums + run * size + w * row + d);
        const int64_t lanes = smaller<int64_t>(kLanes, end - d);
        if (w < args.width) {
          for (int64_t i = 0; args.grad_weight != nullptr && i < lanes; ++i) {
            args.grad_weight[(d + i) * args.width + w] = sum[i];
          }
        } else if (args.grad_bias != nullptr) {
          store_lanes(args.grad_bias + d, sum, lanes);
        }
      }
    }
  });
}

/// Sums over time are kept per run, so their number bounds that memory.
constexpr int64_t kMostRuns = 64;

}  // namespace

Status causal_conv1d_backward(const CausalConv1dBackwardArgs& args) noexcept {
  const Status status = check_causal_conv1d(args);
  if (status != Status::kOk) return status;
  if (args.batch * args.seq_len * args.dim > 0 && args.grad_out.data == nullptr) return Status::kBadArgument;
  const int64_t sequences = sequence_count(args);
  clear_padding(args.sequences, args.grad_x, 1, args.dim);
  const int64_t row = round_up(args.dim, kLanes);

  const bool all_in_place = in_place(args.x, 1, args.dim) && in_place(args.grad_out, 1, args.dim) &&
                            (args.grad_x.data == nullptr || in_place(args.grad_x, 1, args.dim));
  const bool past_cache =
      args.grad_x.data != nullptr && leaves_caches(args.grad_x, args.dim, args.batch * args.seq_len);
  const PieceSize size = all_in_place && past_cache ? PieceSize{kGroup, row} : kSmallPiece;

  // Segments are long enough that the d computed twice at their ends does not count.
  const int64_t steps = larger<int64_t>(round_up(ceil_div(args.batch * args.seq_len, kMostRuns), size.steps),
                                        larger<int64_t>(64, 16 * args.width));
  int64_t segments = 0;
  for (int64_t i = 0; i < sequences; ++i) segments += segments_of(args, i, steps);
  const int64_t runs = larger<int64_t>(1, smaller(kMostRuns, segments));
  const int64_t sums_size = (args.width + 1) * row;
  const int32_t workers = worker_limit();
  const Scratch taps(args.width * row);
  const Scratch sums(runs * sums_size);
  const int64_t worker_size = ConvRows::floats(args.width, size, args.dim);
  const Scratch memory(workers * worker_size);
  if (!taps.ok() || !sums.ok() || !memory.ok()) return Status::kOutOfMemory;
  if (args.dim > 0) fill_taps(args.weight, args.dim, args.width, row, taps.data());
  const ConvBackwardPass pass = {args, taps.data(), row, all_in_place, past_cache, size};
  const SegmentFn run_segment = args.activation == Activation::kSilu ? segment_of_width<true>(args.width)
                                                                      : segment_of_width<false>(args.width);
  for_chunks(runs, workers, [&](int64_t run, int32_t worker) noexcept {
    const ConvRows rows(memory.data() + worker * worker_size, args.width, size);
    float* mine = sums.data() + run * sums_size;
    fill_zero(mine, sums_size);
    const int64_t from = segments * run / runs;
    const int64_t to = segments * (run + 1) / runs;
    int64_t first = 0;  // number of the sequence's first segment
    for (int64_t i = 0; i < sequences && first < to; ++i) {
      const int64_t count = segments_of(args, i, steps);
      for (int64_t k = larger<int64_t>(0, from - first); k < smaller(count, to - first); ++k) {
        ConvSegment segment = conv_sequence(args, i);
        segment.begin = segment.first + k * steps;
        segment.end = smaller(segment.begin + steps, segment.last);
        run_segment(pass, segment, rows, mine);
      }
      first += count;
    }
  });
  add_runs(args, sums.data(), row, runs);
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS
