/// The inner loops of the selective scan's backward pass: one tile of channels, one chunk of 16 steps, a few states.
///
/// Forward again from the chunk's checkpoint:  p = e h, h = p + Delta u B, keeping e = exp(Delta A) and p in L1;
/// then backward:  g = dy C + R,  inner += g B,  slope += g p A,  dA += Delta g p,  dB += Delta u g,  R = e g.
/// dC += dy h is done on the way forward, where h is in a register. Sums over channels (dB, dC) stay vectors, one
/// lane per channel, until `add_lane_sums` folds them once per pass over a few tiles.
#pragma once

#include "lane_sums.h"
#include "scan_math.h"
#include "scan_tiles.h"

namespace statespace::STATESPACE_ISA_NS {

/// States that the loops take together: step data come from L1 once for all of them, as long as the registers last.
inline constexpr int kAdjointStates = kLanes == 16 ? 4 : 2;
inline constexpr int64_t kSteps = kChunk * kLanes;

/// Step data of one tile and chunk, [step][lane]. Rows beyond the end of the sequence are zero.
struct AdjointTile {
  float delta[kSteps];
  float drive[kSteps];  // Delta u
  float dy[kSteps];     // gradient before the gate
  float inner[kSteps];  // <g, B>
  float slope[kSteps];  // <g p, A log2(e)>
  float y[kSteps];      // output before the gate
  float chain[kSteps];  // d Delta / d delta
  float gate[kSteps];   // d out / d z over y, times grad_out
};

/// What one group of states leaves for its way back, and its sums over channels: [state][step][lane].
/// The gaps keep equal places of the four apart modulo a page, else a load waits for a store that it only resembles.
struct AdjointStates {
  float decay[kAdjointStates * kSteps];
  float gap[4 * kLanes];
  float carried[kAdjointStates * kSteps];  // p
  float second_gap[4 * kLanes];
  float grad_B[kAdjointStates * kSteps];
  float third_gap[4 * kLanes];
  float grad_C[kAdjointStates * kSteps];
};

/// Pointers of one tile, each [n][lane].
struct AdjointRows {
  const float* rates;  // A log2(e)
  float* R;
  float* grad_A;
  float* constant_grad_B;  // null when B varies
  float* constant_grad_C;
  const float* constant_B;  // null when B varies
  const float* constant_C;
  const float* checkpoint;  // [n] rows, `checkpoint_step` apart
  int64_t checkpoint_step;
  int64_t lanes;
};

/// Variable B and C of the chunk, copied to [step][n]; rows beyond the end are zero.
struct ChunkWeights {
  const float* B;
  const float* C;
  int64_t d_state;
};

template <bool kConstant>
STATESPACE_INLINE Floats chunk_weight(const float* rows, const float* constant, const ChunkWeights& w, int64_t t,
                                      int64_t n) {
  return kConstant ? load(constant + n * kLanes) : broadcast(rows[t * w.d_state + n]);
}

/// States n .. n + K - 1 of one tile, there and back. `padded` is the number of steps, rounded up to even.
template <int K, bool kConstantB, bool kConstantC, bool kGate>
STATESPACE_INLINE void adjoint_states(AdjointTile& tile, const AdjointRows& rows, const ChunkWeights& weights,
                                      int64_t padded, int64_t n, AdjointStates& sums) {
  constexpr int kBatch = K >= 4 ? 1 : 2;  // steps whose exponentials go together, to hide their latency
  const Exp2Constants constants = exp2_constants();
  Floats rate[K], h[K], total[K];
#pragma GCC unroll 4
  for (int i = 0; i < K; ++i) {
    rate[i] = load(rows.rates + (n + i) * kLanes);
    h[i] = load_lanes(rows.checkpoint + (n + i) * rows.checkpoint_step, rows.lanes);
    total[i] = Floats{};
  }
  for (int64_t first = 0; first < padded; first += kBatch) {
    Floats x[kBatch * K], e[kBatch * K];
    for (int j = 0; j < kBatch; ++j) {
      const Floats delta = load(tile.delta + (first + j) * kLanes);
#pragma GCC unroll 4
      for (int i = 0; i < K; ++i) x[j * K + i] = delta * rate[i];
    }
    exp2_all(x, e, constants);
    for (int j = 0; j < kBatch; ++j) {
      const int64_t t = first + j;
      const Floats drive = load(tile.drive + t * kLanes);
      const Floats dy = load(tile.dy + t * kLanes);
      Floats y = kGate ? load(tile.y + t * kLanes) : Floats{};
#pragma GCC unroll 4
      for (int i = 0; i < K; ++i) {
        const int64_t at = i * kSteps + t * kLanes;
        const Floats sum = kConstantC ? total[i] : load(sums.grad_C + at);
        const Floats p = e[j * K + i] * h[i];
        store(sums.decay + at, e[j * K + i]);
        store(sums.carried + at, p);
        h[i] = fma(drive, chunk_weight<kConstantB>(weights.B, rows.constant_B, weights, t, n + i), p);
        if (kGate) y = fma(chunk_weight<kConstantC>(weights.C, rows.constant_C, weights, t, n + i), h[i], y);
        if (kConstantC) {
          total[i] = fma(dy, h[i], sum);
        } else {
          store(sums.grad_C + at, fma(dy, h[i], sum));
        }
      }
      if (kGate) store(tile.y + t * kLanes, y);
    }
  }

  Floats R[K], grad_A[K];
#pragma GCC unroll 4
  for (int i = 0; i < K; ++i) {
    if (kConstantC) {
      float* to = rows.constant_grad_C + (n + i) * kLanes;
      store(to, load(to) + total[i]);
    }
    R[i] = load(rows.R + (n + i) * kLanes);
    grad_A[i] = Floats{};
    total[i] = Floats{};
  }
  for (int64_t t = padded - 1; t >= 0; --t) {
    const Floats delta = load(tile.delta + t * kLanes);
    const Floats drive = load(tile.drive + t * kLanes);
    const Floats dy = load(tile.dy + t * kLanes);
    Floats inner = load(tile.inner + t * kLanes);
    Floats slope = load(tile.slope + t * kLanes);
#pragma GCC unroll 4
    for (int i = 0; i < K; ++i) {
      const int64_t at = i * kSteps + t * kLanes;
      const Floats sum = kConstantB ? total[i] : load(sums.grad_B + at);
      const Floats g = fma(dy, chunk_weight<kConstantC>(weights.C, rows.constant_C, weights, t, n + i), R[i]);
      inner = fma(g, chunk_weight<kConstantB>(weights.B, rows.constant_B, weights, t, n + i), inner);
      const Floats gp = g * load(sums.carried + at);
      slope = fma(gp, rate[i], slope);
      grad_A[i] = fma(gp, delta, grad_A[i]);
      if (kConstantB) {
        total[i] = fma(drive, g, sum);
      } else {
        store(sums.grad_B + at, fma(drive, g, sum));
      }
      R[i] = g * load(sums.decay + at);
    }
    store(tile.inner + t * kLanes, inner);
    store(tile.slope + t * kLanes, slope);
  }
#pragma GCC unroll 4
  for (int i = 0; i < K; ++i) {
    store(rows.R + (n + i) * kLanes, R[i]);
    float* to = rows.grad_A + (n + i) * kLanes;
    store(to, load(to) + grad_A[i]);
    if (kConstantB) {
      float* constant = rows.constant_grad_B + (n + i) * kLanes;
      store(constant, load(constant) + total[i]);
    }
  }
}

/// Picks the loops by what is constant and whether the output is needed for the gate. Constant B and C are rare: their
/// loops always sum the output.
template <int K>
void adjoint_tile(AdjointTile& tile, const AdjointRows& rows, const ChunkWeights& weights, int64_t padded, int64_t n,
                  bool gate, AdjointStates& sums) noexcept {
  const bool constant_B = rows.constant_B != nullptr;
  const bool constant_C = rows.constant_C != nullptr;
  if (constant_B && constant_C) return adjoint_states<K, true, true, true>(tile, rows, weights, padded, n, sums);
  if (constant_B) return adjoint_states<K, true, false, true>(tile, rows, weights, padded, n, sums);
  if (constant_C) return adjoint_states<K, false, true, true>(tile, rows, weights, padded, n, sums);
  if (gate) return adjoint_states<K, false, false, true>(tile, rows, weights, padded, n, sums);
  return adjoint_states<K, false, false, false>(tile, rows, weights, padded, n, sums);
}

/// to[step] += sum of the lanes of from[step][lane], all 16 steps.
STATESPACE_INLINE void add_lane_sums(const float* from, float* to) {
  for (int64_t t = 0; t < kChunk; t += kLanes) {
    store(to + t, load(to + t) + lane_sums<kLanes>(from + t * kLanes));
  }
}

}  // namespace statespace::STATESPACE_ISA_NS
