/// The recurrence of the diagonal SSD scan over one chunk of one panel of channels, a few states at a time.
///
/// Both directions run it: forward with the output, backward without, to rebuild states. The decays, B and C are
/// numbers that the channels share; they are broadcast once for all vectors of the panel.
#pragma once

#include "diagonal_ssd_chunk.h"

namespace statespace::STATESPACE_ISA_NS {

/// The head and chunk that a worker takes next; fewer steps than now when the sequence ends.
struct NextChunk {
  int64_t head;
  int64_t begin;
  int64_t steps;
};

/// Rows of the next chunk, to be fetched while the recurrence runs: one tensor with each group of states, one row with
/// each step. A row is a stream of its own, there are too many of them for the hardware to follow, and fetched all at
/// once they would wait for one another.
class RowsAhead {
 public:
  void add(const SequenceView& view, int64_t batch, int64_t begin, int64_t offset) noexcept {
    if (view.data == nullptr) return;
    rows_[count_] = row_at(view, batch, begin) + offset;
    steps_[count_++] = view.len_stride;
  }
  void add(const SequenceTarget& output, int64_t batch, int64_t begin, int64_t offset) noexcept {
    add(SequenceView{output.data, output.batch_stride, output.len_stride}, batch, begin, offset);
  }
  const float* rows(int64_t group) const noexcept { return group < count_ ? rows_[group] : nullptr; }
  int64_t step(int64_t group) const noexcept { return group < count_ ? steps_[group] : 0; }

 private:
  static constexpr int64_t kMost = 5;
  const float* rows_[kMost] = {};
  int64_t steps_[kMost] = {};
  int64_t count_ = 0;
};

template <int V>
STATESPACE_INLINE void fetch_row(const float* row) {
  constexpr int64_t kLine = 16;  // floats
  for (int64_t i = 0; i < V * kLanes; i += kLine) prefetch_far(row + i);
}

/// What the recurrence of one panel reads and adds to, at its first channel.
struct PanelSteps {
  const float* decays;  // (q, row)
  int64_t row;
  const float* B;
  int64_t B_step;
  const float* C;  // null: no output
  int64_t C_step;
  const float* drive;  // (q, channels)
  float* y;            // (q, channels)
  int64_t channels;
  RowsAhead ahead;
};

/// Takes K states of V vectors of channels over q steps and, with kOutput, adds their part of the output to y; `to` may
/// be `from`.
template <int K, int V, bool kOutput>
STATESPACE_INLINE void advance_group(const PanelSteps& s, int64_t q, int64_t n, const float* from, float* to) {
  Floats h[K][V];
#pragma GCC unroll 8
  for (int k = 0; k < K; ++k) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) h[k][v] = load(from + ((n + k) * V + v) * kLanes);
  }
  const float *decays = s.decays + n, *B = s.B + n, *C = kOutput ? s.C + n : nullptr, *drive = s.drive;
  const float* ahead = s.ahead.rows(n / K);
  const int64_t ahead_step = s.ahead.step(n / K);
  float* out = s.y;
  // Copies: stores of vectors may alias anything, and the compiler would load these again with every step.
  const int64_t row = s.row, B_step = s.B_step, C_step = s.C_step, channels = s.channels;
  for (int64_t t = 0; t < q; ++t) {
    if (ahead != nullptr) {
      fetch_row<V>(ahead);
      ahead += ahead_step;
    }
    Floats input[V], y[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      input[v] = load(drive + v * kLanes);
      if (kOutput) y[v] = load(out + v * kLanes);
    }
#pragma GCC unroll 8
    for (int k = 0; k < K; ++k) {
      const Floats decay = broadcast(decays[k]), b = broadcast(B[k]);
      const Floats c = kOutput ? broadcast(C[k]) : Floats{};
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        h[k][v] = fma(decay, h[k][v], input[v] * b);
        if (kOutput) y[v] = fma(c, h[k][v], y[v]);
      }
    }
    if (kOutput) {
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) store(out + v * kLanes, y[v]);
      C += C_step, out += channels;
    }
    decays += row, B += B_step, drive += channels;
  }
#pragma GCC unroll 8
  for (int k = 0; k < K; ++k) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) store(to + ((n + k) * V + v) * kLanes, h[k][v]);
  }
}

/// As many states at a time as registers hold, and the rest in halves.
template <int K, int V, bool kOutput>
STATESPACE_INLINE void advance_groups(const PanelSteps& s, int64_t q, int64_t d_state, int64_t n, const float* from,
                                      float* to) {
  for (; n + K <= d_state; n += K) advance_group<K, V, kOutput>(s, q, n, from, to);
  if constexpr (K > 1) advance_groups<K / 2, V, kOutput>(s, q, d_state, n, from, to);
}

/// All states of a panel of `vectors` vectors, from before the chunk to after it.
template <bool kOutput>
void advance_panel(const PanelSteps& s, int64_t q, int64_t vectors, int64_t d_state, const float* from,
                   float* to) noexcept {
  // Vectors of states that registers hold beside the data of a step.
  constexpr int kStates = kPanelVectors == 4 ? 16 : 8;
  if (vectors == 1) return advance_groups<8, 1, kOutput>(s, q, d_state, 0, from, to);
  if (vectors == 2) return advance_groups<kStates / 2, 2, kOutput>(s, q, d_state, 0, from, to);
  if constexpr (kPanelVectors == 4) {
    if (vectors == 3) return advance_groups<kStates / 4, 3, kOutput>(s, q, d_state, 0, from, to);
    return advance_groups<kStates / 4, 4, kOutput>(s, q, d_state, 0, from, to);
  }
}

}  // namespace statespace::STATESPACE_ISA_NS
