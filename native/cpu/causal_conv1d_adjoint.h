/// The adjoint of a causal convolution over one piece: some steps and channels that lie inside their sequence.
#pragma once

#include "conv_rows.h"

namespace statespace::STATESPACE_ISA_NS {

/// Half a kilobyte of every row is enough for the hardware prefetcher (one vector of each row was three times slower),
/// and inputs and d stay in L1 for their W uses. Large tensors in place are cut into 4 whole rows instead: rows a
/// multiple of 2 KiB apart share few sets of L1, and 16 of them push each other out.
inline constexpr PieceSize kSmallPiece = {16, 128};

struct ConvBackwardPass {
  const CausalConv1dBackwardArgs& args;
  const float* taps;  // [w][channel]
  int64_t row;        // length of its rows
  bool in_place;      // x, grad_out and grad_x are read and written where they lie
  bool past_cache;    // grad_x is large and aligned: store it past the caches
  PieceSize size;     // channels a multiple of kLanes: the floats between rows of a worker's memory
};

/// A piece: steps [begin, begin + steps) and `count` channels. Rows of x and dx begin W - 1 steps before `begin`.
struct ConvPiece {
  int64_t begin;
  int64_t steps;
  int64_t channel;
  int64_t count;
  const float* x;
  int64_t x_step;
  const float* grad;
  int64_t grad_step;
  float* dx;  // null: not wanted
  int64_t dx_step;
};

/// Steps of a piece done together: their chains of operations fill each other's latencies.
inline constexpr int kGroup = 4;

/// d of the kGroup steps from t on: one vector of channels of an inner piece.
template <int kWidth, bool kSilu>
STATESPACE_INLINE void group_deltas(const ConvPiece& piece, const ConvPiece& next, int64_t t, int64_t c,
                                    const Floats (&taps)[kWidth], Floats bias, const Exp2Constants& constants,
                                    Floats (&d)[kGroup]) {
  Floats pre[kGroup], sigma[kGroup];
#pragma GCC unroll 4
  for (int i = 0; i < kGroup; ++i) {
    prefetch_l2(next.x + (t + i + kWidth - 1) * piece.x_step + c);
    prefetch_l2(next.grad + (t + i) * piece.grad_step + c);
    d[i] = load(piece.grad + (t + i) * piece.grad_step + c);
  }
  if (!kSilu) return;
#pragma GCC unroll 4
  for (int i = 0; i < kGroup; ++i) {
    pre[i] = bias;
#pragma GCC unroll 8
    for (int w = 0; w < kWidth; ++w) pre[i] = fma(load(piece.x + (t + i + w) * piece.x_step + c), taps[w], pre[i]);
  }
  logistic_all(pre, sigma, constants);
#pragma GCC unroll 4
  for (int i = 0; i < kGroup; ++i) d[i] *= sigma[i] * fma(pre[i], 1.0f - sigma[i], broadcast(1.0f));
}

/// The whole of a piece that lies inside its segment, in place: d, the sums and dx in one pass, each vector of
/// channels through all steps, so that everything but x, grad_out and dx stays in registers. `before` holds the W - 1 rows of
/// d before the piece and takes those of its end. `next` is the piece that will be wanted after this one; the first
/// `skip` rows of dx are another segment's.
template <int kWidth, bool kSilu, bool kBias, int kSteps>
void inner_piece(const ConvBackwardPass& pass, const ConvPiece& piece, const ConvPiece& next, int64_t skip,
                 float* before, float* sums) noexcept {
  const CausalConv1dBackwardArgs& args = pass.args;
  const Exp2Constants constants = exp2_constants();
  for (int64_t c = 0; c < piece.count; c += kLanes) {
    const int64_t channel = piece.channel + c;
    Floats taps[kWidth], totals[kWidth + 1] = {}, d[kGroup + kWidth - 1], coming[kGroup];
#pragma GCC unroll 8
    for (int w = 0; w < kWidth; ++w) taps[w] = load(pass.taps + w * pass.row + channel);
#pragma GCC unroll 8
    for (int w = 0; w + 1 < kWidth; ++w) d[w] = load(before + w * pass.size.channels + c);
    const Floats bias = kBias ? load(args.bias + channel) : Floats{};
    group_deltas<kWidth, kSilu>(piece, next, 0, c, taps, bias, constants, coming);
    for (int64_t t = 0; t < kSteps; t += kGroup) {
#pragma GCC unroll 4
      for (int i = 0; i < kGroup; ++i) d[kWidth - 1 + i] = coming[i];
      // The long chains of the group to come run beside the products of this one.
      if (t + kGroup < kSteps) {
        group_deltas<kWidth, kSilu>(piece, next, t + kGroup, c, taps, bias, constants, coming);
      }
#pragma GCC unroll 4
      for (int i = 0; i < kGroup; ++i) {
#pragma GCC unroll 8
        for (int w = 0; w < kWidth; ++w) {
          totals[w] = fma(d[kWidth - 1 + i], load(piece.x + (t + i + w) * piece.x_step + c), totals[w]);
        }
        totals[kWidth] += d[kWidth - 1 + i];
      }
      if (piece.dx != nullptr) {
#pragma GCC unroll 4
        for (int i = 0; i < kGroup; ++i) {
          Floats dx = d[i + kWidth - 1] * taps[0];
#pragma GCC unroll 8
          for (int w = 1; w < kWidth; ++w) dx = fma(d[i + kWidth - 1 - w], taps[w], dx);
          if (t + i < skip) continue;
          float* to = piece.dx + (t + i) * piece.dx_step + c;
          if (pass.past_cache) {
            stream(to, dx);
          } else {
            store(to, dx);
          }
        }
      }
#pragma GCC unroll 8
      for (int w = 0; w + 1 < kWidth; ++w) d[w] = d[w + kGroup];
    }
#pragma GCC unroll 8
    for (int w = 0; w + 1 < kWidth; ++w) store(before + w * pass.size.channels + c, d[w]);
#pragma GCC unroll 9
    for (int w = 0; w <= kWidth; ++w) {
      float* to = sums + w * pass.row + channel;
      store(to, load(to) + totals[w]);
    }
  }
}

}  // namespace statespace::STATESPACE_ISA_NS
