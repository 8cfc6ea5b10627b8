/// The SSD scans in double, backward, step by step: one decay per head, or one per head and state.
///
/// With e the gradient of y and G[t] = e[t] C[t]' + exp(Delta[t+1] A) G[t+1]:
///
///   q = G B,  dx = Delta q + D e,  dB = Delta G' x,  dC = H' e,  r[n] = exp(Delta A[n]) <G[t,:,n], H[t-1,:,n]>,
///   dDelta = x . q + sum_n A[n] r[n],  dA[n] = sum_t Delta r[n], or its sum over n where a head has one A
///
/// Oracles: packages/ssd-core ssdChunkScanBackwardRef and diagonalSsdBackwardRef. States are rebuilt piece by piece from
/// one kept before each piece and before each run of pieces. An item of work is a run of sequences and some heads of one
/// group; sums over heads, runs and slots have a fixed order.
#include "ssd_recurrence.h"

#include "isa_kernels.h"
#include "parallel.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

using Vector = DoubleVector;
/// Sums over sequences are kept per run of them, and gradients of B and C per slot of heads, so their numbers bound that
/// memory.
constexpr int64_t kMostRuns = 64;
constexpr int64_t kMostSlots = 8;

/// Cuts of the work of one backward call, by shape alone, and where sums go.
template <typename Args>
struct BackwardCall {
  const Args& args;
  int64_t runs, slots, heads_per_slot, heads_per_group;
  int64_t segment, segments;  // pieces whose states are held at a time
  int64_t state_size;
  double *B = nullptr, *C = nullptr;  // [slot] (B, L, G, N)
  double* sums = nullptr;             // [run] (H, P + rates + 1): of grad_D by channel, grad_A, grad_dt_bias

  explicit BackwardCall(const Args& a) noexcept : args(a) {
    const int64_t heads = a.n_heads / a.n_groups;
    runs = larger<int64_t>(1, smaller(kMostRuns, sequence_count(a)));
    heads_per_slot = larger<int64_t>(1, ceil_div(heads, larger<int64_t>(1, smaller(kMostSlots, heads))));
    slots = larger<int64_t>(1, ceil_div(heads, heads_per_slot));
    heads_per_group = larger<int64_t>(1, heads);
    const int64_t pieces = ceil_div(longest_sequence(a), kPiece);
    // Segments as long as there are segments hold the fewest states.
    segment = 1;
    while (segment * segment < pieces) ++segment;
    segments = ceil_div(pieces, segment);
    state_size = a.d_state * round_up(a.head_dim, kDoubleLanes);
  }
  int64_t coefficients() const noexcept { return args.batch * args.seq_len * args.n_groups * args.d_state; }
  int64_t sums_of_head() const noexcept { return args.head_dim + rates_of(args) + 1; }
  int64_t sums_count() const noexcept { return runs * args.n_heads * sums_of_head(); }
};

/// One head of one sequence, backward.
template <typename Args>
class HeadWalk {
 public:
  static int64_t size(const BackwardCall<Args>& call) noexcept {
    return HeadRows<Args>::size(call.args) + (2 + call.segments + call.segment + kPiece + 1) * call.state_size +
           2 * kPiece * round_up(call.args.head_dim, kDoubleLanes);
  }
  HeadWalk(const BackwardCall<Args>& call, const SequenceSpan& span, int64_t head, int64_t slot, double* sums,
           double* memory) noexcept
      : call_(call), a_(call.args), span_(span), head_(head), slot_(slot), sums_(sums), rows_(call.args, head, memory) {
    DoubleParts parts(memory + HeadRows<Args>::size(call.args));
    grad_state_ = parts.take(call.state_size), state_ = parts.take(call.state_size);
    history_ = parts.take((kPiece + 1) * call.state_size);
    e_ = parts.take(kPiece * rows_.P), q_ = parts.take(kPiece * rows_.P);
    kept_ = parts.take(call.segment * call.state_size);
    boundaries_ = parts.take(call.segments * call.state_size);
  }

  void run() noexcept {
    const int64_t pieces = ceil_div(span_.end - span_.begin, kPiece), segments = ceil_div(pieces, call_.segment);
    load_head_state(a_, a_.grad_final_states, span_.final_row, head_, grad_state_);
    load_head_state(a_, a_.initial_states, span_.initial_row, head_, state_);
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
    store_head_state(a_, grad_state_, span_.initial_row, head_, a_.grad_initial_states);
  }

 private:
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
      rows_.load(a_, span_, begin, q);
      for (int64_t t = 0; t < q; ++t) rows_.template advance<false>(t, state_, state_);
    }
  }

  void adjoint_piece(int64_t piece, const double* before) noexcept {
    const int64_t begin = span_.begin + piece * kPiece, q = smaller(kPiece, span_.end - begin), P = rows_.P;
    rows_.load(a_, span_, begin, q);
    rows_.load_channels(a_.grad_out, a_, span_, begin, q, rows_.grad_out);
    if (a_.z.data != nullptr) rows_.load_channels(a_.z, a_, span_, begin, q, rows_.z);
    copy(before, history_);
    for (int64_t t = 0; t < q; ++t) {
      rows_.template advance<true>(t, history_ + t * call_.state_size, history_ + (t + 1) * call_.state_size);
      for (int64_t p = 0; p < P; p += kDoubleLanes) {
        Vector e = load_vector(rows_.grad_out + t * P + p);
        if (a_.z.data != nullptr) e *= real_silu<double>(load_vector(rows_.z + t * P + p));
        store_vector<double>(e_ + t * P + p, e);
      }
    }
    double grad_dt[kPiece];
    for (int64_t t = q; t-- > 0;) grad_dt[t] = adjoint_step(begin, t);
    finish_channels(begin, q);
    if (a_.grad_dt.data != nullptr) write_rows(grad_dt, 1, a_.grad_dt, {span_.batch, begin, q, head_, 1, a_.n_heads});
  }

  /// Row of step `begin` + t in the slot's part of a gradient of B or C.
  double* coefficients_at(double* slots, int64_t begin, int64_t t) const noexcept {
    if (slots == nullptr) return nullptr;
    const int64_t step = span_.batch * a_.seq_len + begin + t;
    return slots + slot_ * call_.coefficients() + (step * a_.n_groups + head_ / call_.heads_per_group) * rows_.N;
  }

  /// Gradients of step t; answers that of raw dt.
  double adjoint_step(int64_t begin, int64_t t) noexcept {
    const int64_t P = rows_.P, N = rows_.N;
    double* grad_B = coefficients_at(call_.B, begin, t);
    double* grad_C = coefficients_at(call_.C, begin, t);
    const double* x = rows_.x + t * P;
    const double* e = e_ + t * P;
    const double* H = history_ + (t + 1) * call_.state_size;
    const double* before = history_ + t * call_.state_size;
    const double dt = rows_.dt[t];
    double* grad_A = sums_ + a_.head_dim;
    double slope = 0;
    for (int64_t p = 0; p < P; p += kDoubleLanes) store_vector<double>(q_ + t * P + p, Vector{});
    Vector carried = {};
    const auto add_rate = [&](int64_t n, double decay) noexcept {
      const double r = decay * lane_total<double>(carried);
      grad_A[n] += dt * r;
      slope += rows_.rates[n] * r;
    };
    for (int64_t n = 0; n < N; ++n) {
      const double b = rows_.B[t * N + n], c = rows_.C[t * N + n], decay = rows_.decay(t, n);
      Vector along_x = {}, along_e = {};
      if (kRatePerState<Args>) carried = Vector{};
      for (int64_t p = 0; p < P; p += kDoubleLanes) {
        const Vector ep = load_vector(e + p);
        const Vector g = load_vector(grad_state_ + n * P + p) + ep * c;
        along_x += g * load_vector(x + p);
        along_e += ep * load_vector(H + n * P + p);
        carried += g * load_vector(before + n * P + p);
        store_vector<double>(q_ + t * P + p, load_vector(q_ + t * P + p) + g * b);
        store_vector<double>(grad_state_ + n * P + p, g * decay);
      }
      if (grad_B != nullptr) grad_B[n] += dt * lane_total<double>(along_x);
      if (grad_C != nullptr) grad_C[n] += lane_total<double>(along_e);
      if (kRatePerState<Args>) add_rate(n, decay);
    }
    if (!kRatePerState<Args>) add_rate(0, rows_.decay(t, 0));
    Vector along_q = {};
    for (int64_t p = 0; p < P; p += kDoubleLanes) along_q += load_vector(x + p) * load_vector(q_ + t * P + p);
    const double grad = raw_slope(rows_.raw[t]) * (lane_total<double>(along_q) + slope);
    sums_[a_.head_dim + rates_of(a_)] += grad;
    return grad;
  }

  /// dDelta / d raw: 0 where the limits hold Delta.
  double raw_slope(double raw) const noexcept {
    const Vector v = vector_of<double>(raw);
    const double step = a_.dt_softplus ? real_softplus<double>(v)[0] : raw;
    if (step < a_.dt_min || step > a_.dt_max) return 0;
    return a_.dt_softplus ? real_softplus_slope<double>(v)[0] : 1;
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
      for (int64_t p = 0; p < P && a_.grad_z.data != nullptr; p += kDoubleLanes) {
        double* y = rows_.y + t * P + p;
        const Vector slope = real_silu_slope<double>(load_vector(rows_.z + t * P + p));
        store_vector<double>(y, load_vector(rows_.grad_out + t * P + p) * load_vector(y) * slope);
      }
    }
    const RowRange range = {span_.batch, begin, q, head_ * a_.head_dim, a_.head_dim, a_.head_dim};
    if (a_.grad_x.data != nullptr) write_rows(q_, P, a_.grad_x, range);
    if (a_.grad_z.data != nullptr) write_rows(rows_.y, P, a_.grad_z, range);
  }

  const BackwardCall<Args>& call_;
  const Args& a_;
  const SequenceSpan& span_;
  int64_t head_, slot_;
  double* sums_;
  HeadRows<Args> rows_;
  double *grad_state_, *state_, *history_, *e_, *q_, *kept_, *boundaries_;
};

/// Adds the runs, in order.
template <typename Args>
void store_head_sums(const BackwardCall<Args>& call) noexcept {
  const Args& a = call.args;
  const int64_t P = a.head_dim, rates = rates_of(a);
  for (int64_t h = 0; h < a.n_heads; ++h) {
    const auto total = [&](int64_t k) noexcept {
      double sum = 0;
      for (int64_t run = 0; run < call.runs; ++run) sum += call.sums[(run * a.n_heads + h) * call.sums_of_head() + k];
      return sum;
    };
    for (int64_t n = 0; n < rates && a.grad_A != nullptr; ++n) a.grad_A[h * rates + n] = total(P + n);
    if (a.grad_dt_bias != nullptr) a.grad_dt_bias[h] = total(P + rates);
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
template <typename Args>
void store_coefficients(const BackwardCall<Args>& call, double* slots, const SequenceTarget& target) noexcept {
  const int64_t size = call.coefficients();
  if (slots == nullptr || size == 0) return;
  for_ranges(size, kElementGrain, [&](int64_t begin, int64_t end) noexcept {
    for (int64_t slot = 1; slot < call.slots; ++slot) {
      for (int64_t i = begin; i < end; ++i) slots[i] += slots[slot * size + i];
    }
  });
  store_sequence(slots, call.args.batch, call.args.seq_len, call.args.n_groups, call.args.d_state, target);
}

/// All heads of all sequences; false where there is no memory.
template <typename Args>
bool walk_heads(const BackwardCall<Args>& call) noexcept {
  const Args& args = call.args;
  const int64_t sequences = sequence_count(args), heads = args.n_heads / args.n_groups;
  const int64_t items = args.head_dim == 0 || heads == 0 ? 0 : call.runs * args.n_groups * call.slots;
  const int64_t size = HeadWalk<Args>::size(call);
  const int32_t workers = static_cast<int32_t>(smaller<int64_t>(worker_limit(), larger<int64_t>(1, items)));
  const Scratch memory(workers * size * kDoubleWords);
  if (!memory.ok()) return false;
  for_chunks(items, workers, [&](int64_t item, int32_t worker) noexcept {
    const int64_t slot = item % call.slots, group = item / call.slots % args.n_groups;
    const int64_t run = item / call.slots / args.n_groups;
    const int64_t first = group * heads + slot * call.heads_per_slot;
    const int64_t last = smaller(first + call.heads_per_slot, (group + 1) * heads);
    for (int64_t i = sequences * run / call.runs; i < sequences * (run + 1) / call.runs; ++i) {
      const SequenceSpan span = sequence_at(args, i);
      for (int64_t head = first; head < last; ++head) {
        HeadWalk<Args>(call, span, head, slot, call.sums + (run * args.n_heads + head) * call.sums_of_head(),
                       reinterpret_cast<double*>(memory.data()) + worker * size)
            .run();
      }
    }
  });
  return true;
}

template <typename Args>
Status backward(const Args& args) noexcept {
  const Status status = check_recurrence(args);
  if (status != Status::kOk) return status;
  const bool empty = args.batch == 0 || args.seq_len == 0 || args.n_heads == 0 || args.head_dim == 0;
  if (!empty && args.grad_out.data == nullptr) return Status::kBadArgument;
  if (!empty && args.grad_z.data != nullptr && args.z.data == nullptr) return Status::kBadArgument;
  BackwardCall<Args> call(args);
  const int64_t weights = call.coefficients() * call.slots;
  const Scratch B(args.grad_B.data == nullptr ? 0 : weights * kDoubleWords);
  const Scratch C(args.grad_C.data == nullptr ? 0 : weights * kDoubleWords), sums(call.sums_count() * kDoubleWords);
  if (!B.ok() || !C.ok() || !sums.ok()) return Status::kOutOfMemory;
  if (args.grad_B.data != nullptr) call.B = reinterpret_cast<double*>(B.data());
  if (args.grad_C.data != nullptr) call.C = reinterpret_cast<double*>(C.data());
  call.sums = reinterpret_cast<double*>(sums.data());
  for (int64_t i = 0; i < call.sums_count(); ++i) call.sums[i] = 0;
  for (int64_t i = 0; call.B != nullptr && i < weights; ++i) call.B[i] = 0;
  for (int64_t i = 0; call.C != nullptr && i < weights; ++i) call.C[i] = 0;
  if (!walk_heads(call)) return Status::kOutOfMemory;
  store_head_sums(call);
  store_coefficients(call, call.B, args.grad_B);
  store_coefficients(call, call.C, args.grad_C);
  clear_padding(args.sequences, args.grad_x, args.n_heads, args.head_dim);
  clear_padding(args.sequences, args.grad_z, args.n_heads, args.head_dim);
  clear_padding(args.sequences, args.grad_dt, 1, args.n_heads);
  if (args.head_dim == 0) clear_sequence(args.batch, args.seq_len, 1, args.n_heads, args.grad_dt);
  return Status::kOk;
}

}  // namespace

Status ssd_chunk_scan_backward_f64(const SsdChunkScanBackwardArgsOf<double>& args) noexcept { return backward(args); }

Status diagonal_ssd_backward_f64(const DiagonalSsdBackwardArgsOf<double>& args) noexcept { return backward(args); }

}  // namespace statespace::STATESPACE_ISA_NS
