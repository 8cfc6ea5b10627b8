/// What both directions of the SSD scans in double share: the step data of a piece of one head, its state, one step.
///
///   H[t,p,n] = exp(Delta[t] A[n]) H[t-1,p,n] + Delta[t] x[t,p] B[t,n]      y[t] = H[t] C[t]
///
/// with one A per head, or one per head and state. The chunk of the float kernels serves products of matrices; in double
/// the recurrence is short, and exact enough to check others by. chunk_size does not enter.
/// Layout: the state of a head is (N, P) with P in whole vectors; lanes run over P. Steps go in pieces of kPiece.
#pragma once

#include <type_traits>

#include "diagonal_ssd_chunk.h"
#include "real_vector.h"
#include "scratch.h"
#include "stored_rows.h"

namespace statespace::STATESPACE_ISA_NS {

using SsdInputs = SsdChunkScanInputsOf<double>;
using DoubleVector = VectorOf<double>;
inline constexpr int64_t kDoubleLanes = kRealLanes<double>;
inline constexpr int64_t kDoubleWords = sizeof(double) / sizeof(float);
inline constexpr int64_t kPiece = 16;

/// Whether the heads of these arguments have an A for every state.
template <typename Args>
inline constexpr bool kRatePerState = std::is_base_of_v<DiagonalSsdInputsOf<double>, Args>;

/// Numbers in the A of one head.
template <typename Args>
STATESPACE_INLINE int64_t rates_of(const Args& args) {
  return kRatePerState<Args> ? args.d_state : 1;
}

template <typename Args>
STATESPACE_INLINE Status check_recurrence(const Args& args) {
  if constexpr (kRatePerState<Args>) {
    return check_diagonal_ssd<double>(args);
  } else {
    return check_ssd<double>(args);
  }
}

/// Cuts `memory` into arrays of doubles.
class DoubleParts {
 public:
  explicit DoubleParts(double* memory) noexcept : next_(memory) {}
  double* take(int64_t count) noexcept {
    double* part = next_;
    next_ += count;
    return part;
  }

 private:
  double* next_;
};

/// Memory of one worker for the step data of a piece of one head.
template <typename Args>
struct HeadRows {
  double *rates, *raw, *dt, *decays, *x, *z, *B, *C, *y, *grad_out;
  int64_t head;
  int64_t P, N, R;  // head_dim in whole vectors; d_state; numbers of A in whole vectors

  static int64_t size(const Args& a) noexcept {
    const int64_t rates = round_up(rates_of(a), kDoubleLanes), channels = round_up(a.head_dim, kDoubleLanes);
    return rates + kPiece * (2 + rates + 4 * channels + 2 * a.d_state);
  }
  HeadRows(const Args& a, int64_t of_head, double* memory) noexcept
      : head(of_head), P(round_up(a.head_dim, kDoubleLanes)), N(a.d_state), R(round_up(rates_of(a), kDoubleLanes)) {
    DoubleParts parts(memory);
    rates = parts.take(R), decays = parts.take(kPiece * R);
    raw = parts.take(kPiece), dt = parts.take(kPiece);
    x = parts.take(kPiece * P), z = parts.take(kPiece * P);
    y = parts.take(kPiece * P), grad_out = parts.take(kPiece * P);
    B = parts.take(kPiece * N), C = parts.take(kPiece * N);
  }

  /// Rates, steps, decays, x, B and C.
  void load(const Args& a, const SequenceSpan& span, int64_t begin, int64_t q) noexcept {
    const int64_t count = rates_of(a);
    for (int64_t i = 0; i < R; ++i) rates[i] = i < count ? a.A[head * count + i] : 0;
    read_rows(a.dt, {span.batch, begin, q, head, 1, a.n_heads}, raw, 1);
    for (int64_t t = 0; t < q; ++t) {
      raw[t] += a.dt_bias == nullptr ? 0 : a.dt_bias[head];
      const double step = a.dt_softplus ? real_softplus<double>(vector_of<double>(raw[t]))[0] : raw[t];
      dt[t] = step < a.dt_min ? a.dt_min : step > a.dt_max ? a.dt_max : step;
      for (int64_t i = 0; i < R; i += kDoubleLanes) {
        store_vector<double>(decays + t * R + i, real_exp<double>(load_vector(rates + i) * dt[t]));
      }
    }
    load_channels(a.x, a, span, begin, q, x);
    if (N == 0) return;
    const int64_t group = head / (a.n_heads / a.n_groups);
    read_rows(a.B, {span.batch, begin, q, group * N, N, N}, B, N);
    read_rows(a.C, {span.batch, begin, q, group * N, N, N}, C, N);
  }

  /// Rows of the head, zero up to whole vectors.
  void load_channels(const SequenceView& view, const Args& a, const SequenceSpan& span, int64_t begin, int64_t q,
                     double* to) const noexcept {
    for (int64_t i = 0; i < q * P; ++i) to[i] = 0;
    read_rows(view, {span.batch, begin, q, head * a.head_dim, a.head_dim, a.head_dim}, to, P);
  }

  STATESPACE_FORCED double decay(int64_t t, int64_t n) const noexcept {
    return decays[t * R + (kRatePerState<Args> ? n : 0)];
  }

  /// One step: `to` = decay `from` + dt x B', and y = `to` C where kOutput.
  template <bool kOutput>
  void advance(int64_t t, const double* from, double* to) noexcept {
    for (int64_t p = 0; p < P; p += kDoubleLanes) {
      const DoubleVector drive = load_vector(x + t * P + p) * dt[t];
      DoubleVector sum = {};
      for (int64_t n = 0; n < N; ++n) {
        const DoubleVector h = load_vector(from + n * P + p) * decay(t, n) + drive * B[t * N + n];
        store_vector<double>(to + n * P + p, h);
        if (kOutput) sum += h * C[t * N + n];
      }
      if (kOutput) store_vector<double>(y + t * P + p, sum);
    }
  }
};

STATESPACE_INLINE double skip_of(const SsdInputs& a, int64_t head, int64_t p) {
  return a.D == nullptr ? 0 : a.D[a.d_has_head_dim ? head * a.head_dim + p : head];
}

/// (P, N) of the caller to (N, P) in whole vectors; zero where there is none.
static inline void load_head_state(const SsdInputs& a, const double* states, int64_t row, int64_t head,
                                   double* to) noexcept {
  const int64_t P = round_up(a.head_dim, kDoubleLanes);
  for (int64_t i = 0; i < a.d_state * P; ++i) to[i] = 0;
  if (states == nullptr || row < 0) return;
  const double* from = states + (row * a.n_heads + head) * a.head_dim * a.d_state;
  for (int64_t p = 0; p < a.head_dim; ++p) {
    for (int64_t n = 0; n < a.d_state; ++n) to[n * P + p] = from[p * a.d_state + n];
  }
}

static inline void store_head_state(const SsdInputs& a, const double* from, int64_t row, int64_t head,
                                    double* states) noexcept {
  if (states == nullptr || row < 0) return;
  const int64_t P = round_up(a.head_dim, kDoubleLanes);
  double* to = states + (row * a.n_heads + head) * a.head_dim * a.d_state;
  for (int64_t p = 0; p < a.head_dim; ++p) {
    for (int64_t n = 0; n < a.d_state; ++n) to[p * a.d_state + n] = from[n * P + p];
  }
}

}  // namespace statespace::STATESPACE_ISA_NS
