/// State-space-duality scan in double, forward and backward, step by step.
///
///   H[t] = exp(Delta[t] A) H[t-1] + Delta[t] x[t] B[t]'      out[t] = (H[t] C[t] + D x[t]) silu(z[t])
///
/// and backward, with e the gradient of y and G[t] = e[t] C[t]' + exp(Delta[t+1] A) G[t+1]:
///
///   q = G B,  dx = Delta q + D e,  dB = Delta G' x,  dC = H' e,  r = exp(Delta A) <G[t], H[t-1]>,
///   dDelta = x . q + A r,  dA = sum Delta r
///
/// The chunk of the float kernels serves products of matrices; in double the recurrence is short and exact enough to check
/// others by. chunk_size does not enter. Oracle: packages/ssd-core ssdRecurrentRef. Layout: the state of a head is (N, P)
/// with P in whole vectors; lanes run over P. Steps go in pieces of 16, whose states the backward pass rebuilds from one
/// kept before each piece and before each run of pieces.
#include "isa_kernels.h"
#include "parallel.h"
#include "real_vector.h"
#include "scratch.h"
#include "ssd_chunk.h"
#include "stored_rows.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

using Vector = VectorOf<double>;
using Inputs = SsdChunkScanInputsOf<double>;
constexpr int64_t kWidth = kRealLanes<double>;
constexpr int64_t kPiece = 16;
constexpr int64_t kDoubleWords = sizeof(double) / sizeof(float);
constexpr int64_t kMostRuns = 64;
constexpr int64_t kMostSlots = 8;

/// Memory of one worker for the step data of a piece of one head.
struct PieceRows {
  double *raw, *dt, *x, *z, *B, *C, *y, *grad_out;
  int64_t P, N;  // whole vectors of head_dim; d_state

  static int64_t size(const Inputs& a) noexcept {
    return kPiece * (2 + 4 * round_up(a.head_dim, kWidth) + 2 * a.d_state) + 64;
  }
  PieceRows(const Inputs& a, double* memory) noexcept : P(round_up(a.head_dim, kWidth)), N(a.d_state) {
    const auto take = [&memory](int64_t count) {
      double* part = memory;
      memory += count;
      return part;
    };
    raw = take(kPiece), dt = take(kPiece);
    x = take(kPiece * P), z = take(kPiece * P), y = take(kPiece * P), grad_out = take(kPiece * P);
    B = take(kPiece * N), C = take(kPiece * N);
  }

  void load(const Inputs& a, const SequenceSpan& span, int64_t begin, int64_t q, int64_t head) noexcept {
    read_rows(a.dt, {span.batch, begin, q, head, 1, a.n_heads}, raw, 1);
    for (int64_t t = 0; t < q; ++t) {
      raw[t] += a.dt_bias == nullptr ? 0 : a.dt_bias[head];
      const double step = a.dt_softplus ? real_softplus<double>(vector_of<double>(raw[t]))[0] : raw[t];
      dt[t] = step < a.dt_min ? a.dt_min : step > a.dt_max ? a.dt_max : step;
    }
    load_channels(a.x, a, span, begin, q, head, x);
    if (N == 0) return;
    const int64_t group = head / (a.n_heads / a.n_groups);
    read_rows(a.B, {span.batch, begin, q, group * N, N, N}, B, N);
    read_rows(a.C, {span.batch, begin, q, group * N, N, N}, C, N);
  }

  /// Rows of one head, zero up to whole vectors.
  void load_channels(const SequenceView& view, const Inputs& a, const SequenceSpan& span, int64_t begin, int64_t q,
                     int64_t head, double* to) const noexcept {
    for (int64_t i = 0; i < q * P; ++i) to[i] = 0;
    read_rows(view, {span.batch, begin, q, head * a.head_dim, a.head_dim, a.head_dim}, to, P);
  }
};

STATESPACE_INLINE double decay_of(double dt, double rate) { return real_exp<double>(vector_of<double>(dt * rate))[0]; }

STATESPACE_INLINE double skip_of(const Inputs& a, int64_t head, int64_t p) {
  return a.D == nullptr ? 0 : a.D[a.d_has_head_dim ? head * a.head_dim + p : head];
}

/// (P, N) of the caller to (N, P) in whole vectors; zero where there is none.
void load_state(const Inputs& a, const double* states, int64_t row, int64_t head, int64_t P, double* to) noexcept {
  for (int64_t i = 0; i < a.d_state * P; ++i) to[i] = 0;
  if (states == nullptr || row < 0) return;
  const double* from = states + (row * a.n_heads + head) * a.head_dim * a.d_state;
  for (int64_t p = 0; p < a.head_dim; ++p) {
    for (int64_t n = 0; n < a.d_state; ++n) to[n * P + p] = from[p * a.d_state + n];
  }
}

void store_state(const Inputs& a, const double* from, int64_t row, int64_t head, int64_t P, double* states) noexcept {
  if (states == nullptr || row < 0) return;
  double* to = states + (row * a.n_heads + head) * a.head_dim * a.d_state;
  for (int64_t p = 0; p < a.head_dim; ++p) {
    for (int64_t n = 0; n < a.d_state; ++n) to[p * a.d_state + n] = from[n * P + p];
  }
}

/// One step: `to` = decay `from` + dt x B', and y += `to` C where y is given.
void advance(const PieceRows& rows, int64_t t, double decay, const double* from, double* to, double* y) noexcept {
  const double* B = rows.B + t * rows.N;
  const double* C = rows.C + t * rows.N;
  for (int64_t p = 0; p < rows.P; p += kWidth) {
    const Vector drive = load_vector(rows.x + t * rows.P + p) * rows.dt[t];
    Vector sum = {};
    for (int64_t n = 0; n < rows.N; ++n) {
      const Vector h = load_vector(from + n * rows.P + p) * decay + drive * B[n];
      store_vector<double>(to + n * rows.P + p, h);
      sum += h * C[n];
    }
    if (y != nullptr) store_vector<double>(y + t * rows.P + p, sum);
  }
}

void forward_head(const SsdChunkScanArgsOf<double>& a, const SequenceSpan& span, int64_t head,
                  double* memory) noexcept {
  PieceRows rows(a, memory);
  double* state = memory + PieceRows::size(a);
  const int64_t P = rows.P;
  load_state(a, a.initial_states, span.initial_row, head, P, state);
  for (int64_t begin = span.begin; begin < span.end; begin += kPiece) {
    const int64_t q = smaller(kPiece, span.end - begin);
    rows.load(a, span, begin, q, head);
    if (a.z.data != nullptr) rows.load_channels(a.z, a, span, begin, q, head, rows.z);
    for (int64_t t = 0; t < q; ++t) {
      advance(rows, t, decay_of(rows.dt[t], a.A[head]), state, state, rows.y);
      for (int64_t p = 0; p < a.head_dim; ++p) rows.y[t * P + p] += skip_of(a, head, p) * rows.x[t * P + p];
      for (int64_t p = 0; p < P && a.z.data != nullptr; p += kWidth) {
        double* y = rows.y + t * P + p;
        store_vector<double>(y, load_vector(y) * real_silu<double>(load_vector(rows.z + t * P + p)));
      }
    }
    write_rows(rows.y, P, a.out, {span.batch, begin, q, head * a.head_dim, a.head_dim, a.head_dim});
  }
  store_state(a, state, span.final_row, head, P, a.final_states);
}

/// One backward call: cuts of its work, by shape alone, and where sums go.
struct Backward {
  const SsdChunkScanBackwardArgsOf<double>& args;
  int64_t runs, slots, heads_per_slot, heads_per_group;
  int64_t segment, segments;
  int64_t state_size;
  double *B, *C;  // [slot] (B, L, G, N)
  double* sums;   // [run] (H, P + 2): of grad_D by channel, grad_A, grad_dt_bias
};

/// One head of one sequence, backward.
class HeadWalk {
 public:
  static int64_t size(const Backward& call) noexcept {
    return PieceRows::size(call.args) +
           (2 + call.segments + call.segment + kPiece + 1) * call.state_size + 2 * kPiece * padded(call.args) + 16;
  }
  HeadWalk(const Backward& call, const SequenceSpan& span, int64_t head, int64_t slot, double* sums,
           double* memory) noexcept
      : call_(call), a_(call.args), span_(span), head_(head), slot_(slot), sums_(sums), rows_(call.args, memory) {
    memory += PieceRows::size(call.args);
    const auto take = [&memory](int64_t count) {
      double* part = memory;
      memory += count;
      return part;
    };
    grad_state_ = take(call.state_size), state_ = take(call.state_size);
    history_ = take((kPiece + 1) * call.state_size);
    e_ = take(kPiece * rows_.P), q_ = take(kPiece * rows_.P);
    kept_ = take(call.segment * call.state_size);
    boundaries_ = memory;
  }

  void run() noexcept {
    const int64_t pieces = ceil_div(span_.end - span_.begin, kPiece), segments = ceil_div(pieces, call_.segment);
    load_state(a_, a_.grad_final_states, span_.final_row, head_, rows_.P, grad_state_);
    load_state(a_, a_.initial_states, span_.initial_row, head_, rows_.P, state_);
    for (int64_t s = 0; s < segments; ++s) {
      copy(state_, boundaries_ + s * call_.state_size);
      if (s + 1 < segments) rebuild(s * call_.segment, (s + 1) * call_.segment, nullptr);
    }
    for (int64_t s = segments; s-- > 0;) {
      const int64_t from = s * call_.segment, to = smaller(pieces, from + call_.segment);
      copy(boundaries_ + s * call_.state_size, state_);
      rebuild(from, to, kept_);
      for (int64_t piece = to; piece-- > from;) adjoint_piece(piece, kept_ + (piece - from) * call_.state_size);
    }
    store_state(a_, grad_state_, span_.initial_row, head_, rows_.P, a_.grad_initial_states);
  }

 private:
  static int64_t padded(const Inputs& a) noexcept { return round_up(a.head_dim, kWidth); }
  void copy(const double* from, double* to) const noexcept {
    for (int64_t i = 0; i < call_.state_size; ++i) to[i] = from[i];
  }

  /// Takes `state_` over pieces [from, to); `keep` gets the state before each, and then the last is not run.
  void rebuild(int64_t from, int64_t to, double* keep) noexcept {
    for (int64_t piece = from; piece < to; ++piece) {
      if (keep != nullptr) {
        copy(state_, keep + (piece - from) * call_.state_size);
        if (piece + 1 == to) return;
      }
      const int64_t begin = span_.begin + piece * kPiece, q = smaller(kPiece, span_.end - begin);
      rows_.load(a_, span_, begin, q, head_);
      for (int64_t t = 0; t < q; ++t) advance(rows_, t, decay_of(rows_.dt[t], a_.A[head_]), state_, state_, nullptr);
    }
  }

  void adjoint_piece(int64_t piece, const double* before) noexcept {
    const int64_t begin = span_.begin + piece * kPiece, q = smaller(kPiece, span_.end - begin), P = rows_.P;
    rows_.load(a_, span_, begin, q, head_);
    rows_.load_channels(a_.grad_out, a_, span_, begin, q, head_, rows_.grad_out);
    if (a_.z.data != nullptr) rows_.load_channels(a_.z, a_, span_, begin, q, head_, rows_.z);
    copy(before, history_);
    double decay[kPiece];
    for (int64_t t = 0; t < q; ++t) {
      decay[t] = decay_of(rows_.dt[t], a_.A[head_]);
      advance(rows_, t, decay[t], history_ + t * call_.state_size, history_ + (t + 1) * call_.state_size, rows_.y);
      for (int64_t p = 0; p < P; p += kWidth) {
        Vector e = load_vector(rows_.grad_out + t * P + p);
        if (a_.z.data != nullptr) e *= real_silu<double>(load_vector(rows_.z + t * P + p));
        store_vector<double>(e_ + t * P + p, e);
      }
    }
    double grad_dt[kPiece];
    for (int64_t t = q; t-- > 0;) grad_dt[t] = adjoint_step(begin, t, decay[t]);
    finish_channels(begin, q);
    if (a_.grad_dt.data != nullptr) write_rows(grad_dt, 1, a_.grad_dt, {span_.batch, begin, q, head_, 1, a_.n_heads});
  }

  /// Gradients of step t; answers that of raw dt.
  double adjoint_step(int64_t begin, int64_t t, double decay) noexcept {
    const int64_t P = rows_.P, N = rows_.N, step = span_.batch * a_.seq_len + begin + t;
    const int64_t row = (step * a_.n_groups + head_ / call_.heads_per_group) * N;
    const int64_t size = a_.batch * a_.seq_len * a_.n_groups * N;
    double* grad_B = call_.B == nullptr ? nullptr : call_.B + slot_ * size + row;
    double* grad_C = call_.C == nullptr ? nullptr : call_.C + slot_ * size + row;
    const double* x = rows_.x + t * P;
    const double* e = e_ + t * P;
    const double* H = history_ + (t + 1) * call_.state_size;
    const double* before = history_ + t * call_.state_size;
    for (int64_t p = 0; p < P; p += kWidth) store_vector<double>(q_ + t * P + p, Vector{});
    Vector carried = {};
    for (int64_t n = 0; n < N; ++n) {
      const double b = rows_.B[t * N + n], c = rows_.C[t * N + n];
      Vector along_x = {}, along_e = {};
      for (int64_t p = 0; p < P; p += kWidth) {
        const Vector ep = load_vector(e + p);
        const Vector g = load_vector(grad_state_ + n * P + p) + ep * c;
        along_x += g * load_vector(x + p);
        along_e += ep * load_vector(H + n * P + p);
        carried += g * load_vector(before + n * P + p);
        store_vector<double>(q_ + t * P + p, load_vector(q_ + t * P + p) + g * b);
        store_vector<double>(grad_state_ + n * P + p, g * decay);
      }
      if (grad_B != nullptr) grad_B[n] += rows_.dt[t] * lane_total<double>(along_x);
      if (grad_C != nullptr) grad_C[n] += lane_total<double>(along_e);
    }
    Vector along_q = {};
    for (int64_t p = 0; p < P; p += kWidth) along_q += load_vector(x + p) * load_vector(q_ + t * P + p);
    const double r = decay * lane_total<double>(carried);
    sums_[a_.head_dim] += rows_.dt[t] * r;
    const Vector raw = vector_of<double>(rows_.raw[t]);
    const double free = a_.dt_softplus ? real_softplus<double>(raw)[0] : rows_.raw[t];
    const double slope = a_.dt_softplus ? real_softplus_slope<double>(raw)[0] : 1;
    const bool limited = free < a_.dt_min || free > a_.dt_max;
    const double grad = limited ? 0 : slope * (lane_total<double>(along_q) + a_.A[head_] * r);
    sums_[a_.head_dim + 1] += grad;
    return grad;
  }

  /// dx and dz of a piece, and the sums for D.
  void finish_channels(int64_t begin, int64_t q) noexcept {
    const int64_t P = rows_.P;
    for (int64_t t = 0; t < q; ++t) {
      for (int64_t p = 0; p < a_.head_dim; ++p) {
        const double skip = skip_of(a_, head_, p), x = rows_.x[t * P + p], e = e_[t * P + p];
        sums_[p] += e * x;
        q_[t * P + p] = rows_.dt[t] * q_[t * P + p] + skip * e;
        rows_.y[t * P + p] += skip * x;
      }
      for (int64_t p = 0; p < P && a_.grad_z.data != nullptr; p += kWidth) {
        double* y = rows_.y + t * P + p;
        const Vector slope = real_silu_slope<double>(load_vector(rows_.z + t * P + p));
        store_vector<double>(y, load_vector(rows_.grad_out + t * P + p) * load_vector(y) * slope);
      }
    }
    const RowRange range = {span_.batch, begin, q, head_ * a_.head_dim, a_.head_dim, a_.head_dim};
    if (a_.grad_x.data != nullptr) write_rows(q_, P, a_.grad_x, range);
    if (a_.grad_z.data != nullptr) write_rows(rows_.y, P, a_.grad_z, range);
  }

  const Backward& call_;
  const SsdChunkScanBackwardArgsOf<double>& a_;
  const SequenceSpan& span_;
  int64_t head_, slot_;
  double* sums_;
  PieceRows rows_;
  double *grad_state_, *state_, *history_, *e_, *q_, *kept_, *boundaries_;
};

void store_head_sums(const Backward& call) noexcept {
  const SsdChunkScanBackwardArgsOf<double>& a = call.args;
  const int64_t P = a.head_dim;
  for (int64_t h = 0; h < a.n_heads; ++h) {
    const auto total = [&](int64_t k) noexcept {
      double sum = 0;
      for (int64_t run = 0; run < call.runs; ++run) sum += call.sums[(run * a.n_heads + h) * (P + 2) + k];
      return sum;
    };
    if (a.grad_A != nullptr) a.grad_A[h] = total(P);
    if (a.grad_dt_bias != nullptr) a.grad_dt_bias[h] = total(P + 1);
    if (a.grad_D == nullptr) continue;
    if (!a.d_has_head_dim) a.grad_D[h] = 0;
    for (int64_t p = 0; p < P; ++p) {
      if (a.d_has_head_dim) {
        a.grad_D[h * P + p] = total(p);
      } else {
        a.grad_D[h] += total(p);
      }
    }
  }
}

/// Adds the slots of a gradient of B or C and stores it.
void store_weights(const Backward& call, double* slots, const SequenceTarget& target) noexcept {
  if (target.data == nullptr) return;
  const SsdChunkScanBackwardArgsOf<double>& a = call.args;
  const int64_t size = a.batch * a.seq_len * a.n_groups * a.d_state;
  for_ranges(size, kElementGrain, [&](int64_t begin, int64_t end) noexcept {
    for (int64_t slot = 1; slot < call.slots; ++slot) {
      for (int64_t i = begin; i < end; ++i) slots[i] += slots[slot * size + i];
    }
  });
  if (size > 0) store_sequence(slots, a.batch, a.seq_len, a.n_groups, a.d_state, target);
}

}  // namespace

Status ssd_chunk_scan_f64(const SsdChunkScanArgsOf<double>& args) noexcept {
  const Status status = check_ssd(args);
  if (status != Status::kOk) return status;
  if (args.batch == 0 || args.n_heads == 0 || args.head_dim == 0) return Status::kOk;
  if (args.seq_len > 0 && args.out.data == nullptr) return Status::kBadArgument;
  clear_padding(args.sequences, args.out, args.n_heads, args.head_dim);
  const int64_t items = sequence_count(args) * args.n_heads;
  const int64_t size = PieceRows::size(args) + args.d_state * round_up(args.head_dim, kWidth);
  const int32_t workers = static_cast<int32_t>(smaller<int64_t>(worker_limit(), larger<int64_t>(1, items)));
  const Scratch memory(workers * size * kDoubleWords);
  if (!memory.ok()) return Status::kOutOfMemory;
  for_chunks(items, workers, [&](int64_t i, int32_t worker) noexcept {
    const SequenceSpan span = sequence_at(args, i / args.n_heads);
    forward_head(args, span, i % args.n_heads, reinterpret_cast<double*>(memory.data()) + worker * size);
  });
  return Status::kOk;
}

Status ssd_chunk_scan_backward_f64(const SsdChunkScanBackwardArgsOf<double>& args) noexcept {
  const Status status = check_ssd(args);
  if (status != Status::kOk) return status;
  const bool empty = args.batch == 0 || args.seq_len == 0 || args.n_heads == 0 || args.head_dim == 0;
  if (!empty && args.grad_out.data == nullptr) return Status::kBadArgument;
  if (!empty && args.grad_z.data != nullptr && args.z.data == nullptr) return Status::kBadArgument;
  const int64_t sequences = sequence_count(args), heads = args.n_heads / args.n_groups;
  const int64_t runs = larger<int64_t>(1, smaller(kMostRuns, sequences));
  const int64_t wanted = larger<int64_t>(1, smaller(kMostSlots, heads));
  const int64_t per_slot = larger<int64_t>(1, ceil_div(heads, wanted));
  const int64_t slots = larger<int64_t>(1, ceil_div(heads, per_slot));
  const int64_t pieces = ceil_div(longest_sequence(args), kPiece);
  int64_t segment = 1;
  while (segment * segment < pieces) ++segment;
  const int64_t weights = args.batch * args.seq_len * args.n_groups * args.d_state * slots;
  const int64_t sums_count = runs * args.n_heads * (args.head_dim + 2);
  const Scratch B(args.grad_B.data == nullptr ? 0 : weights * kDoubleWords);
  const Scratch C(args.grad_C.data == nullptr ? 0 : weights * kDoubleWords), sums(sums_count * kDoubleWords);
  if (!B.ok() || !C.ok() || !sums.ok()) return Status::kOutOfMemory;
  const Backward call = {args, runs, slots, per_slot, larger<int64_t>(1, heads), segment, ceil_div(pieces, segment),
                         args.d_state * round_up(args.head_dim, kWidth),
                         args.grad_B.data == nullptr ? nullptr : reinterpret_cast<double*>(B.data()),
                         args.grad_C.data == nullptr ? nullptr : reinterpret_cast<double*>(C.data()),
                         reinterpret_cast<double*>(sums.data())};
  for (int64_t i = 0; i < sums_count; ++i) call.sums[i] = 0;
  for (int64_t i = 0; call.B != nullptr && i < weights; ++i) call.B[i] = 0;
  for (int64_t i = 0; call.C != nullptr && i < weights; ++i) call.C[i] = 0;
  const int64_t items = args.head_dim == 0 || heads == 0 ? 0 : runs * args.n_groups * slots;
  const int64_t size = HeadWalk::size(call);
  const int32_t workers = static_cast<int32_t>(smaller<int64_t>(worker_limit(), larger<int64_t>(1, items)));
  const Scratch memory(workers * size * kDoubleWords);
  if (!memory.ok()) return Status::kOutOfMemory;
  for_chunks(items, workers, [&](int64_t item, int32_t worker) noexcept {
    const int64_t slot = item % slots, group = item / slots % args.n_groups, run = item / slots / args.n_groups;
    const int64_t first = group * heads + slot * per_slot;
    const int64_t last = smaller(first + per_slot, (group + 1) * heads);
    for (int64_t i = sequences * run / runs; i < sequences * (run + 1) / runs; ++i) {
      const SequenceSpan span = sequence_at(args, i);
      for (int64_t head = first; head < last; ++head) {
        HeadWalk(call, span, head, slot, call.sums + (run * args.n_heads + head) * (args.head_dim + 2),
                 reinterpret_cast<double*>(memory.data()) + worker * size)
            .run();
      }
    }
  });
  store_head_sums(call);
  store_weights(call, call.B, args.grad_B);
  store_weights(call, call.C, args.grad_C);
  clear_padding(args.sequences, args.grad_x, args.n_heads, args.head_dim);
  clear_padding(args.sequences, args.grad_z, args.n_heads, args.head_dim);
  clear_padding(args.sequences, args.grad_dt, 1, args.n_heads);
  if (args.head_dim == 0) clear_sequence(args.batch, args.seq_len, 1, args.n_heads, args.grad_dt);
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS
