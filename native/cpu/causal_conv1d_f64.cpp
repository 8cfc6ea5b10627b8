/// Causal depthwise convolution in double, forward and backward.
///
///   pre[t] = bias + sum_w weight[w] x[t - W + 1 + w]      out[t] = act(pre[t])
///   d[t] = grad_out[t] act'(pre[t]),  dbias = sum d,  dweight[w] = sum_t d[t] x[t-W+1+w],  dx[s] = sum_w weight[w] d[s+W-1-w]
///
/// Oracle: packages/ssd-core causalConv1dRef; native/test/float64_test.cpp. Layout: one vector of channels of one sequence at a time, in pieces of 64 steps with the W - 1 inputs before
/// them; in the backward pass the d of the W - 1 steps behind a piece are computed for it again.
#include "argument_checks.h"
#include "isa_kernels.h"
#include "parallel.h"
#include "real_vector.h"
#include "scratch.h"
#include "stored_rows.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

using Vector = VectorOf<double>;
constexpr int64_t kWidth = kRealLanes<double>;
constexpr int64_t kPiece = 64;
constexpr int64_t kDoubleWords = sizeof(double) / sizeof(float);
/// Sums over time are kept per run of sequences, so their number bounds that memory.
constexpr int64_t kMostRuns = 64;

/// One vector of channels of one sequence.
struct Lane {
  SequenceSpan span;
  int64_t channel;
  int64_t count;
};

STATESPACE_INLINE Vector numbers_at(const double* from, int64_t count, int64_t stride) {
  double lanes[kWidth] = {};
  for (int64_t i = 0; i < count; ++i) lanes[i] = from[i * stride];
  return load_vector(lanes);
}

/// rows[j] = input of step from + j: x, or before the sequence its initial state, or 0; beyond the sequence 0.
void load_inputs(const CausalConv1dInputsOf<double>& args, const Lane& lane, int64_t from, int64_t count,
                 double* rows) noexcept {
  for (int64_t i = 0; i < count * kWidth; ++i) rows[i] = 0;
  const int64_t before = args.width - 1;
  for (int64_t j = 0; j < count && from + j < lane.span.begin; ++j) {
    const int64_t entry = from + j - lane.span.begin + before;
    if (args.initial_states == nullptr || lane.span.initial_row < 0) continue;
    const double* states = args.initial_states + (lane.span.initial_row * args.dim + lane.channel) * before + entry;
    store_vector<double>(rows + j * kWidth, numbers_at(states, lane.count, before));
  }
  const int64_t begin = larger(from, lane.span.begin), end = smaller(from + count, lane.span.end);
  if (begin >= end) return;
  read_rows(args.x, {lane.span.batch, begin, end - begin, lane.channel, lane.count, args.dim},
            rows + (begin - from) * kWidth, kWidth);
}

/// pre of the step whose oldest input stands at `oldest`; taps [w][lane], the bias behind them.
STATESPACE_INLINE Vector pre_of(const double* oldest, const double* taps, int64_t width) {
  Vector sum = load_vector(taps + width * kWidth);
  for (int64_t w = 0; w < width; ++w) sum += load_vector(oldest + w * kWidth) * load_vector(taps + w * kWidth);
  return sum;
}

void load_taps(const CausalConv1dInputsOf<double>& args, const Lane& lane, double* taps) noexcept {
  for (int64_t w = 0; w < args.width; ++w) {
    store_vector<double>(taps + w * kWidth, numbers_at(args.weight + lane.channel * args.width + w, lane.count, args.width));
  }
  const Vector bias = args.bias == nullptr ? Vector{} : numbers_at(args.bias + lane.channel, lane.count, 1);
  store_vector<double>(taps + args.width * kWidth, bias);
}

/// Writes entry j of the W - 1 state numbers of every channel.
void put_state(double* states, int64_t row, const CausalConv1dInputsOf<double>& args, const Lane& lane, int64_t j,
               const double* values) noexcept {
  double* to = states + (row * args.dim + lane.channel) * (args.width - 1) + j;
  for (int64_t i = 0; i < lane.count; ++i) to[i * (args.width - 1)] = values[i];
}

void forward_lane(const CausalConv1dArgsOf<double>& args, const Lane& lane, double* memory) noexcept {
  const int64_t before = args.width - 1;
  double* taps = memory;
  double* rows = taps + (args.width + 1) * kWidth;
  double* out = rows + (kPiece + before) * kWidth;
  load_taps(args, lane, taps);
  for (int64_t begin = lane.span.begin; begin < lane.span.end; begin += kPiece) {
    const int64_t steps = smaller(kPiece, lane.span.end - begin);
    load_inputs(args, lane, begin - before, steps + before, rows);
    for (int64_t t = 0; t < steps; ++t) {
      const Vector pre = pre_of(rows + t * kWidth, taps, args.width);
      store_vector<double>(out + t * kWidth, args.activation == Activation::kSilu ? real_silu<double>(pre) : pre);
    }
    write_rows(out, kWidth, args.out, {lane.span.batch, begin, steps, lane.channel, lane.count, args.dim});
  }
  if (args.final_states == nullptr || lane.span.final_row < 0) return;
  load_inputs(args, lane, lane.span.end - before, before, rows);
  for (int64_t j = 0; j < before; ++j) put_state(args.final_states, lane.span.final_row, args, lane, j, rows + j * kWidth);
}

/// d of `count` steps from `from` on, 0 beyond the sequence; `rows` begin W - 1 steps before.
void load_deltas(const CausalConv1dBackwardArgsOf<double>& args, const Lane& lane, int64_t from, int64_t count,
                 const double* rows, const double* taps, double* d) noexcept {
  for (int64_t i = 0; i < count * kWidth; ++i) d[i] = 0;
  const int64_t steps = smaller(count, lane.span.end - from);
  if (steps <= 0) return;
  read_rows(args.grad_out, {lane.span.batch, from, steps, lane.channel, lane.count, args.dim}, d, kWidth);
  if (args.activation != Activation::kSilu) return;
  for (int64_t t = 0; t < steps; ++t) {
    const Vector slope = real_silu_slope<double>(pre_of(rows + t * kWidth, taps, args.width));
    store_vector<double>(d + t * kWidth, load_vector(d + t * kWidth) * slope);
  }
}

/// dx of step s from the d of steps s ... s + W - 1, and what the final state adds.
STATESPACE_INLINE Vector gradient_at(const CausalConv1dBackwardArgsOf<double>& args, const Lane& lane, int64_t s,
                                     const double* d, const double* taps) {
  Vector sum = {};
  for (int64_t k = 0; k < args.width; ++k) {
    sum += load_vector(d + k * kWidth) * load_vector(taps + (args.width - 1 - k) * kWidth);
  }
  const int64_t before = args.width - 1, entry = s - lane.span.end + before;
  if (args.grad_final_states == nullptr || lane.span.final_row < 0 || entry < 0) return sum;
  const double* states = args.grad_final_states + (lane.span.final_row * args.dim + lane.channel) * before + entry;
  return sum + numbers_at(states, lane.count, before);
}

/// `sums` [w][lane] and behind it that of the bias.
void backward_lane(const CausalConv1dBackwardArgsOf<double>& args, const Lane& lane, double* sums,
                   double* memory) noexcept {
  const int64_t before = args.width - 1;
  double* taps = memory;
  double* rows = taps + (args.width + 1) * kWidth;
  double* d = rows + (kPiece + 2 * before) * kWidth;
  double* dx = d + (kPiece + before) * kWidth;
  load_taps(args, lane, taps);
  for (int64_t begin = lane.span.begin; begin < lane.span.end; begin += kPiece) {
    const int64_t steps = smaller(kPiece, lane.span.end - begin);
    load_inputs(args, lane, begin - before, steps + 2 * before, rows);
    load_deltas(args, lane, begin, steps + before, rows, taps, d);
    for (int64_t t = 0; t < steps; ++t) {
      const Vector delta = load_vector(d + t * kWidth);
      for (int64_t w = 0; w < args.width; ++w) {
        double* sum = sums + w * kWidth;
        store_vector<double>(sum, load_vector(sum) + delta * load_vector(rows + (t + w) * kWidth));
      }
      double* sum = sums + args.width * kWidth;
      store_vector<double>(sum, load_vector(sum) + delta);
      store_vector<double>(dx + t * kWidth, gradient_at(args, lane, begin + t, d + t * kWidth, taps));
    }
    if (args.grad_x.data == nullptr) continue;
    write_rows(dx, kWidth, args.grad_x, {lane.span.batch, begin, steps, lane.channel, lane.count, args.dim});
  }
  if (args.grad_initial_states == nullptr || lane.span.initial_row < 0) return;
  // Steps before the sequence: d of its first W - 1 steps, behind as many zeros.
  load_inputs(args, lane, lane.span.begin - before, 2 * before, rows);
  for (int64_t i = 0; i < before * kWidth; ++i) dx[i] = 0;
  load_deltas(args, lane, lane.span.begin, before, rows, taps, dx + before * kWidth);
  for (int64_t j = 0; j < before; ++j) {
    double values[kWidth];
    store_vector<double>(values, gradient_at(args, lane, lane.span.begin - before + j, dx + j * kWidth, taps));
    put_state(args.grad_initial_states, lane.span.initial_row, args, lane, j, values);
  }
}

}  // namespace

Status causal_conv1d_f64(const CausalConv1dArgsOf<double>& args) noexcept {
  const Status status = check_causal_conv1d<double>(args);
  if (status != Status::kOk) return status;
  if (args.batch * args.seq_len * args.dim > 0 && args.out.data == nullptr) return Status::kBadArgument;
  if (args.dim == 0) return Status::kOk;
  clear_padding(args.sequences, args.out, 1, args.dim);
  const int64_t tiles = ceil_div(args.dim, kWidth), lanes = sequence_count(args) * tiles;
  const int64_t size = (args.width + 1 + 2 * kPiece + 2 * args.width) * kWidth;
  const int32_t workers = static_cast<int32_t>(smaller<int64_t>(worker_limit(), larger<int64_t>(1, lanes)));
  const Scratch memory(workers * size * kDoubleWords);
  if (!memory.ok()) return Status::kOutOfMemory;
  for_chunks(lanes, workers, [&](int64_t i, int32_t worker) noexcept {
    const int64_t channel = i % tiles * kWidth;
    forward_lane(args, {sequence_at(args, i / tiles), channel, smaller(kWidth, args.dim - channel)},
                 reinterpret_cast<double*>(memory.data()) + worker * size);
  });
  return Status::kOk;
}

Status causal_conv1d_backward_f64(const CausalConv1dBackwardArgsOf<double>& args) noexcept {
  const Status status = check_causal_conv1d<double>(args);
  if (status != Status::kOk) return status;
  if (args.batch * args.seq_len * args.dim > 0 && args.grad_out.data == nullptr) return Status::kBadArgument;
  if (args.dim == 0) return Status::kOk;
  clear_padding(args.sequences, args.grad_x, 1, args.dim);
  const int64_t tiles = ceil_div(args.dim, kWidth), sequences = sequence_count(args);
  const int64_t runs = larger<int64_t>(1, smaller(kMostRuns, sequences)), items = runs * tiles;
  const int64_t sums_size = (args.width + 1) * kWidth;
  const int64_t size = (args.width + 1 + 3 * kPiece + 6 * args.width) * kWidth;
  const int32_t workers = static_cast<int32_t>(smaller<int64_t>(worker_limit(), items));
  const Scratch memory(workers * size * kDoubleWords), sums_memory(items * sums_size * kDoubleWords);
  if (!memory.ok() || !sums_memory.ok()) return Status::kOutOfMemory;
  double* const sums = reinterpret_cast<double*>(sums_memory.data());
  for_chunks(items, workers, [&](int64_t item, int32_t worker) noexcept {
    const int64_t run = item / tiles, channel = item % tiles * kWidth;
    double* mine = sums + item * sums_size;
    for (int64_t i = 0; i < sums_size; ++i) mine[i] = 0;
    for (int64_t i = sequences * run / runs; i < sequences * (run + 1) / runs; ++i) {
      backward_lane(args, {sequence_at(args, i), channel, smaller(kWidth, args.dim - channel)}, mine,
                    reinterpret_cast<double*>(memory.data()) + worker * size);
    }
  });
  for (int64_t d = 0; d < args.dim; ++d) {
    for (int64_t w = 0; w <= args.width; ++w) {
      double total = 0;
      for (int64_t run = 0; run < runs; ++run) {
        total += sums[(run * tiles + d / kWidth) * sums_size + w * kWidth + d % kWidth];
      }
      if (w < args.width && args.grad_weight != nullptr) args.grad_weight[d * args.width + w] = total;
      if (w == args.width && args.grad_bias != nullptr) args.grad_bias[d] = total;
    }
  }
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS
