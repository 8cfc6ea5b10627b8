/// What the selective scan's backward pass reads and writes around its inner loops, one tile and chunk at a time.
#pragma once

#include "selective_scan_adjoint.h"

namespace statespace::STATESPACE_ISA_NS {

/// Copies rows [begin, begin + steps) of B or C to [step][n], zero up to a whole chunk.
static inline void copy_weights(const SequenceView& view, int64_t batch, int64_t begin, int64_t steps, int64_t group,
                                int64_t d_state, float* to) noexcept {
  for (int64_t t = 0; t < steps; ++t) {
    const float* row = row_at(view, batch, begin + t) + group * d_state;
    for (int64_t n = 0; n < d_state; ++n) to[t * d_state + n] = row[n];
  }
  fill_zero(to + steps * d_state, (kChunk - steps) * d_state);
}

/// Delta, Delta u and, for the way back, d Delta / d delta of one tile and chunk.
template <bool kWithChain>
void load_delta(const SelectiveScanInputs& args, int64_t batch, int64_t begin, int64_t steps, const ScanTile& at,
                AdjointTile& tile) noexcept {
  const Exp2Constants constants = exp2_constants();
  const Floats bias = args.delta_bias != nullptr ? load_lanes(args.delta_bias + at.channel, at.lanes) : Floats{};
  for (int64_t t = 0; t < steps; ++t) {
    const Floats u = load_lanes(row_at(args.u, batch, begin + t) + at.channel, at.lanes);
    const Floats raw = load_lanes(row_at(args.delta, batch, begin + t) + at.channel, at.lanes) + bias;
    Floats delta = raw;
    Floats chain = broadcast(1.0f);
    if (args.delta_softplus) {
      const Floats e = exp_minus_abs(raw, constants);
      delta = softplus_from(raw, e);
      if (kWithChain) chain = logistic_from(raw, e);
    }
    store(tile.delta + t * kLanes, delta);
    store(tile.drive + t * kLanes, delta * u);
    if (kWithChain) store(tile.chain + t * kLanes, chain);
  }
}

/// Rows [begin, begin + steps) of one tile; no steps where there is no such piece.
struct TileRows {
  const ScanTile& tile;
  int64_t begin;
  int64_t steps;
};

/// Calls one row of a tile, with the rows to be written, into L2.
STATESPACE_INLINE void prefetch_row_of(const SelectiveScanBackwardArgs& args, int64_t batch, int64_t t,
                                       int64_t channel) {
  prefetch_far(row_at(args.u, batch, t) + channel);
  prefetch_far(row_at(args.delta, batch, t) + channel);
  prefetch_far(row_at(args.grad_out, batch, t) + channel);
  if (args.z.data != nullptr) prefetch_far(row_at(args.z, batch, t) + channel);
  const int64_t place = (batch * args.seq_len + t) * args.dim + channel;
  if (args.grad_u != nullptr) prefetch_to_write(args.grad_u + place);
  if (args.grad_delta != nullptr) prefetch_to_write(args.grad_delta + place);
  if (args.grad_z != nullptr) prefetch_to_write(args.grad_z + place);
}

/// Fills the step data of one tile; rows beyond the end of the sequence become zero. Row by row, between its own
/// arithmetic, it calls for those of `next`: all at once they would wait for one another.
static inline void load_tile(const SelectiveScanBackwardArgs& args, int64_t batch, int64_t begin, int64_t steps,
                             const ScanTile& at, const TileRows& next, AdjointTile& tile) noexcept {
  const Exp2Constants constants = exp2_constants();
  const Floats skip = args.D != nullptr ? load_lanes(args.D + at.channel, at.lanes) : Floats{};
  load_delta<true>(args, batch, begin, steps, at, tile);
  for (int64_t t = 0; t < steps; ++t) {
    if (t < next.steps) prefetch_row_of(args, batch, next.begin + t, next.tile.channel);
    Floats dy = load_lanes(row_at(args.grad_out, batch, begin + t) + at.channel, at.lanes);
    store(tile.y + t * kLanes, skip * load_lanes(row_at(args.u, batch, begin + t) + at.channel, at.lanes));
    if (args.z.data != nullptr) {
      const Floats z = load_lanes(row_at(args.z, batch, begin + t) + at.channel, at.lanes);
      const Floats sigma = logistic_of(z, constants);
      store(tile.gate + t * kLanes, dy * sigma * fma(z, 1.0f - sigma, broadcast(1.0f)));
      dy *= z * sigma;
    }
    store(tile.dy + t * kLanes, dy);
    store(tile.inner + t * kLanes, Floats{});
    store(tile.slope + t * kLanes, Floats{});
  }
  for (int64_t t = steps; t < kChunk; ++t) {
    float* const all[] = {tile.delta, tile.drive, tile.dy, tile.inner, tile.slope, tile.y};
    for (float* rows : all) store(rows + t * kLanes, Floats{});
  }
}

/// Gradients of u, delta and z of one tile and chunk, and its sums for D and delta_bias.
static inline void finish_tile(const SelectiveScanBackwardArgs& args, int64_t batch, int64_t begin, int64_t steps,
                               const ScanTile& at, const AdjointTile& tile, float* grad_D,
                               float* grad_bias) noexcept {
  const Floats skip = args.D != nullptr ? load_lanes(args.D + at.channel, at.lanes) : Floats{};
  Floats sum_D = load(grad_D);
  Floats sum_bias = load(grad_bias);
  for (int64_t t = 0; t < steps; ++t) {
    const Floats u = load_lanes(row_at(args.u, batch, begin + t) + at.channel, at.lanes);
    const Floats dy = load(tile.dy + t * kLanes);
    const Floats inner = load(tile.inner + t * kLanes);
    // slope was summed with A log2(e).
    const Floats slope = load(tile.slope + t * kLanes) * 0.693147181f;
    const Floats ddelta = fma(u, inner, slope) * load(tile.chain + t * kLanes);
    const int64_t place = (batch * args.seq_len + begin + t) * args.dim + at.channel;
    if (args.grad_u != nullptr) {
      store_lanes(args.grad_u + place, fma(load(tile.delta + t * kLanes), inner, skip * dy), at.lanes);
    }
    if (args.grad_delta != nullptr) store_lanes(args.grad_delta + place, ddelta, at.lanes);
    if (args.grad_z != nullptr) {
      store_lanes(args.grad_z + place, load(tile.gate + t * kLanes) * load(tile.y + t * kLanes), at.lanes);
    }
    sum_D = fma(dy, u, sum_D);
    sum_bias += ddelta;
  }
  store(grad_D, sum_D);
  store(grad_bias, sum_bias);
}

/// Writes the chunk's sums [n][step] as rows (step, n) of a (B, L, G, N) tensor.
static inline void store_weight_rows(const float* sums, int64_t steps, int64_t d_state, int64_t row_step,
                                     float* to) noexcept {
  for (int64_t t = 0; t < steps; ++t) {
    for (int64_t n = 0; n < d_state; ++n) to[t * row_step + n] = sums[n * kChunk + t];
  }
}

}  // namespace statespace::STATESPACE_ISA_NS
