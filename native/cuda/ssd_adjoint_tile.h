/// The products of one tile of steps in the SSD scan's backward pass. With G_ls = <dy_l, x_s>, H the state before the tile and
/// Gamma the gradient of the state behind it, for a tile of rows p and a slice of states n:
///
///   M_ls = exp(alpha_l - alpha_s) Delta_s G_ls      W_ls = M_ls <C_l, B_s>      O_l = exp(alpha_l)      R_s = exp(alpha_T - alpha_s)
///   q_s  = sum_l exp(alpha_l - alpha_s) <C_l, B_s> dy_l + R_s Gamma B_s
///   dC_l = sum_s M_ls B_s + O_l H' dy_l             dB_s = sum_l M_ls C_l + R_s Delta_s Gamma' x_s
///   f_l  = <C_l, O_l H' dy_l>     g_s = <B_s, R_s Delta_s Gamma' x_s>     pi = exp(alpha_T) <H, Gamma>
///   da_t = sum_{l>=t>s} W_ls + sum_{l>=t} f_l + sum_{s<t} g_s + pi        dDelta_t = <x_t, q_t> + A da_t
#pragma once

#include "ssd_tile.h"

namespace statespace::cuda {

/// Rows of the state so far apart that neighbouring states lie in different banks.
inline constexpr int kSsdRowPitch = kSsdRows + 1;

template <int kStates>
struct SsdAdjointTile {
  float x[kSsdSteps * kSsdRows];
  float dy[kSsdSteps * kSsdRows];
  float B[kStates * kSsdPitch];
  float C[kStates * kSsdPitch];
  float state[kStates * kSsdRowPitch];
  float gamma[kStates * kSsdRowPitch];
  /// Row l, column s; 0 where s > l: M, exp(alpha_l - alpha_s) <C_l, B_s>, and W.
  float M[kSsdSteps * kSsdPitch];
  float spread[kSsdSteps * kSsdPitch];
  float W[kSsdSteps * kSsdPitch];
  LogDecays<kSsdSteps> alpha;
  float delta[kSsdSteps], O[kSsdSteps], R[kSsdSteps];
  float f[kSsdSteps], g[kSsdSteps], xq[kSsdSteps];
  float pi[kSsdThreads / kWarpSize];
};

template <Format kFormat, int kStates>
__device__ void prepare_adjoint_steps(const SsdChunkScanInputs& args, const SsdItem& item, int64_t batch,
                                      int64_t begin, int count, SsdAdjointTile<kStates>& tile) {
  if (threadIdx.x >= kSsdSteps) return;
  const int t = lane_index();
  const StepDecay step = step_decay<kFormat>(args, item, batch, begin, count);
  tile.delta[t] = step.delta;
  tile.alpha.set(t, step.alpha);
  tile.O[t] = expf(static_cast<float>(step.alpha));
  tile.R[t] = t < count ? expf(static_cast<float>(step.last - step.alpha)) : 0.0f;
}

/// M, spread and W.
template <int kStates>
__device__ void mix_adjoint_steps(SsdAdjointTile<kStates>& tile) {
  constexpr int kEach = kSsdSteps * kSsdSteps / kSsdThreads;
  const int l = static_cast<int>(threadIdx.x) / (kSsdSteps / kEach);
  const int first = static_cast<int>(threadIdx.x) % (kSsdSteps / kEach) * kEach;
  float scores[kEach] = {}, products[kEach] = {};
  for (int n = 0; n < kStates; ++n) {
    const float c = tile.C[n * kSsdPitch + l];
#pragma unroll
    for (int k = 0; k < kEach; ++k) scores[k] += c * tile.B[n * kSsdPitch + first + k];
  }
  for (int p = 0; p < kSsdRows; ++p) {
    const float dy = tile.dy[l * kSsdRows + p];
#pragma unroll
    for (int k = 0; k < kEach; ++k) products[k] += dy * tile.x[(first + k) * kSsdRows + p];
  }
#pragma unroll
  for (int k = 0; k < kEach; ++k) {
    const int s = first + k, at = l * kSsdPitch + s;
    const bool selected = s <= l;
    const float decay = selected ? tile.alpha.between(l, s) : 0.0f;
    const float M = selected ? decay * tile.delta[s] * products[k] : 0.0f;
    tile.M[at] = M;
    tile.spread[at] = selected ? decay * scores[k] : 0.0f;
    tile.W[at] = selected ? M * scores[k] : 0.0f;
  }
}

/// 4 x 4 entries of a product: rows first.. of the 32 steps, columns of a width of 16 lanes.
struct OwnProduct {
  static constexpr int kLanes = 16;
  int row = static_cast<int>(threadIdx.x) / kLanes * 4;
  int column = static_cast<int>(threadIdx.x) % kLanes * 4;
  float value[4][4] = {};
};

/// Writes sums[row] = the sum of `terms` over the lanes that share rows; every row has one writer.
__device__ __forceinline__ void sum_rows(const OwnProduct& own, const float (&terms)[4], float* sums) {
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const float sum = sum_over_lanes(terms[i], OwnProduct::kLanes);
    if (own.column == 0) sums[own.row + i] = sum;
  }
}

/// q of 4 steps and 4 rows, and <x, q>.
template <int kStates>
__device__ void multiply_q(SsdAdjointTile<kStates>& tile, OwnProduct& own) {
  for (int n = 0; n < kStates; ++n) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float b = tile.R[own.row + i] * tile.B[n * kSsdPitch + own.row + i];
#pragma unroll
      for (int j = 0; j < 4; ++j) own.value[i][j] += b * tile.gamma[n * kSsdRowPitch + own.column + j];
    }
  }
  for (int l = own.row; l < kSsdSteps; ++l) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float weight = tile.spread[l * kSsdPitch + own.row + i];
#pragma unroll
      for (int j = 0; j < 4; ++j) own.value[i][j] += weight * tile.dy[l * kSsdRows + own.column + j];
    }
  }
  float terms[4] = {};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
#pragma unroll
    for (int j = 0; j < 4; ++j) terms[i] += tile.x[(own.row + i) * kSsdRows + own.column + j] * own.value[i][j];
  }
  sum_rows(own, terms, tile.xq);
}

/// One of dC and dB of 4 steps and 4 states: what comes through the state, scale_t <state_n, rows_t>, and its product with `with` summed to
/// `sums` (f or g); then what comes from the tile itself, weighted by M or its transpose.
template <bool kIsB, int kStates>
__device__ void multiply_states(SsdAdjointTile<kStates>& tile, OwnProduct& own) {
  constexpr int kStep = kStates / OwnProduct::kLanes;
  static_assert(kStep <= 4);
  own.column = static_cast<int>(threadIdx.x) % OwnProduct::kLanes * kStep;
  const float* const rows = kIsB ? tile.x : tile.dy;
  const float* const state = kIsB ? tile.gamma : tile.state;
  for (int p = 0; p < kSsdRows; ++p) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float value = rows[(own.row + i) * kSsdRows + p];
#pragma unroll
      for (int j = 0; j < kStep; ++j) own.value[i][j] += value * state[(own.column + j) * kSsdRowPitch + p];
    }
  }
  const float* const with = kIsB ? tile.B : tile.C;
  float terms[4] = {};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int t = own.row + i;
    const float scale = kIsB ? tile.R[t] * tile.delta[t] : tile.O[t];
#pragma unroll
    for (int j = 0; j < kStep; ++j) {
      own.value[i][j] *= scale;
      terms[i] += with[(own.column + j) * kSsdPitch + t] * own.value[i][j];
    }
  }
  sum_rows(own, terms, kIsB ? tile.g : tile.f);
  const float* const other = kIsB ? tile.C : tile.B;
  const int first = kIsB ? own.row : 0, end = kIsB ? kSsdSteps : own.row + 4;
  for (int k = first; k < end; ++k) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float weight = kIsB ? tile.M[k * kSsdPitch + own.row + i] : tile.M[(own.row + i) * kSsdPitch + k];
#pragma unroll
      for (int j = 0; j < kStep; ++j) own.value[i][j] += weight * other[(own.column + j) * kSsdPitch + k];
    }
  }
}

/// This thread's part of <H, Gamma>, summed over its warp into `pi`.
template <int kStates>
__device__ void multiply_pi(SsdAdjointTile<kStates>& tile) {
  float sum = 0.0f;
  for (int i = static_cast<int>(threadIdx.x); i < kStates * kSsdRowPitch; i += kSsdThreads) {
    if (i % kSsdRowPitch < kSsdRows) sum += tile.state[i] * tile.gamma[i];
  }
  sum = sum_over_lanes(sum, kWarpSize);
  if (lane_index() == 0) tile.pi[static_cast<int>(threadIdx.x) / kWarpSize] = sum;
}

/// da of step t.
template <int kStates>
__device__ float grad_log_decay(const SsdAdjointTile<kStates>& tile, int t, int count) {
  float pi = 0.0f;
  for (int w = 0; w < kSsdThreads / kWarpSize; ++w) pi += tile.pi[w];
  float sum = tile.O[count - 1] * pi;
  for (int l = t; l < count; ++l) {
    sum += tile.f[l];
    for (int s = 0; s < t; ++s) sum += tile.W[l * kSsdPitch + s];
  }
  for (int s = 0; s < t; ++s) sum += tile.g[s];
  return sum;
}

}  // namespace statespace::cuda
