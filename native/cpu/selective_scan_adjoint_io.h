/// What the selective scan's backward pass reads and writes around its inner loops, one tile and chunk at a time.
#pragma once

#include "scan_stage.h"
#include "selective_scan_adjoint.h"

namespace statespace::STATESPACE_ISA_NS {

/// One chunk of one block: rows from the block's first channel on.
struct AdjointInputs {
  const float* u;
  const float* delta;
  const float* z;         // null: no gate
  const float* grad_out;  // null while only states are rebuilt
  float* grad_u;          // these may be null
  float* grad_delta;
  float* grad_z;
  int64_t u_step, delta_step, z_step, grad_out_step, grad_u_step, grad_delta_step, grad_z_step;
  int64_t first_channel;
};

/// What a worker of the backward pass keeps for the rows of one chunk of at most `channels` channels.
class BackwardStage {
 public:
  static int64_t floats(const SelectiveScanBackwardArgs& args, int64_t channels) noexcept {
    const auto wide = [&](const auto& tensor) { return staged_floats(tensor, 1, args.dim, kChunk, channels); };
    return wide(args.u) + wide(args.delta) + wide(args.z) + wide(args.grad_out) + wide(args.grad_u) +
           wide(args.grad_delta) + wide(args.grad_z);
  }

  BackwardStage(const SelectiveScanBackwardArgs& args, int64_t channels, float* memory) noexcept
      : u_(args.u, 1, args.dim, channels, memory),
        delta_(args.delta, 1, args.dim, channels, memory),
        z_(args.z, 1, args.dim, channels, memory),
        grad_out_(args.grad_out, 1, args.dim, channels, memory),
        grad_u_(args.grad_u, 1, args.dim, channels, memory),
        grad_delta_(args.grad_delta, 1, args.dim, channels, memory),
        grad_z_(args.grad_z, 1, args.dim, channels, memory) {}

  /// Whether rows of other chunks can be fetched ahead.
  bool in_place() const noexcept {
    return u_.in_place() && delta_.in_place() && z_.in_place() && grad_out_.in_place() && grad_u_.in_place() &&
           grad_delta_.in_place() && grad_z_.in_place();
  }

  /// `states_only`: u and delta alone.
  AdjointInputs load(int64_t batch, int64_t begin, int64_t steps, int64_t first, int64_t count,
                     bool states_only) const noexcept {
    u_.read(batch, begin, steps, first, count);
    delta_.read(batch, begin, steps, first, count);
    if (!states_only) {
      z_.read(batch, begin, steps, first, count);
      grad_out_.read(batch, begin, steps, first, count);
    }
    return {u_.rows(batch, begin, first),
            delta_.rows(batch, begin, first),
            z_.rows(batch, begin, first),
            grad_out_.rows(batch, begin, first),
            grad_u_.rows(batch, begin, first),
            grad_delta_.rows(batch, begin, first),
            grad_z_.rows(batch, begin, first),
            u_.step(),
            delta_.step(),
            z_.step(),
            grad_out_.step(),
            grad_u_.step(),
            grad_delta_.step(),
            grad_z_.step(),
            first};
  }

  void store(int64_t batch, int64_t begin, int64_t steps, int64_t first, int64_t count) const noexcept {
    grad_u_.write(batch, begin, steps, first, count);
    grad_delta_.write(batch, begin, steps, first, count);
    grad_z_.write(batch, begin, steps, first, count);
  }

 private:
  StagedTensor<SequenceView> u_, delta_, z_, grad_out_;
  StagedTensor<SequenceTarget> grad_u_, grad_delta_, grad_z_;
};

/// Copies rows [begin, begin + steps) of B or C to [step][n], zero up to a whole chunk.
static inline void copy_weights(const SequenceView& view, int64_t groups, int64_t batch, int64_t begin, int64_t steps,
                                int64_t group, int64_t d_state, float* to) noexcept {
  if (in_place(view, groups, d_state)) {
    for (int64_t t = 0; t < steps; ++t) {
      const float* row = row_at(view, batch, begin + t) + group * d_state;
      for (int64_t n = 0; n < d_state; ++n) to[t * d_state + n] = row[n];
    }
  } else if (d_state > 0) {
    read_rows(view, {batch, begin, steps, group * d_state, d_state, d_state}, to, d_state);
  }
  fill_zero(to + steps * d_state, (kChunk - steps) * d_state);
}

/// Delta, Delta u and, for the way back, d Delta / d delta of one tile and chunk.
template <bool kWithChain>
void load_delta(const SelectiveScanInputs& args, const AdjointInputs& rows, int64_t steps, const ScanTile& at,
                AdjointTile& tile) noexcept {
  const Exp2Constants constants = exp2_constants();
  const Floats bias = args.delta_bias != nullptr ? load_lanes(args.delta_bias + at.channel, at.lanes) : Floats{};
  const int64_t channel = at.channel - rows.first_channel;
  for (int64_t t = 0; t < steps; ++t) {
    const Floats u = load_lanes(rows.u + t * rows.u_step + channel, at.lanes);
    const Floats raw = load_lanes(rows.delta + t * rows.delta_step + channel, at.lanes) + bias;
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
  if (args.grad_u.data != nullptr) prefetch_to_write(row_at(args.grad_u, batch, t) + channel);
  if (args.grad_delta.data != nullptr) prefetch_to_write(row_at(args.grad_delta, batch, t) + channel);
  if (args.grad_z.data != nullptr) prefetch_to_write(row_at(args.grad_z, batch, t) + channel);
}

/// Fills the step data of one tile; rows beyond the end of the sequence become zero. Row by row, between its own
/// arithmetic, it calls for those of `next`: all at once they would wait for one another.
static inline void load_tile(const SelectiveScanBackwardArgs& args, const AdjointInputs& rows, int64_t batch,
                             int64_t steps, const ScanTile& at, const TileRows& next, AdjointTile& tile) noexcept {
  const Exp2Constants constants = exp2_constants();
  const Floats skip = args.D != nullptr ? load_lanes(args.D + at.channel, at.lanes) : Floats{};
  load_delta<true>(args, rows, steps, at, tile);
  const int64_t channel = at.channel - rows.first_channel;
  for (int64_t t = 0; t < steps; ++t) {
    if (t < next.steps) prefetch_row_of(args, batch, next.begin + t, next.tile.channel);
    Floats dy = load_lanes(rows.grad_out + t * rows.grad_out_step + channel, at.lanes);
    store(tile.y + t * kLanes, skip * load_lanes(rows.u + t * rows.u_step + channel, at.lanes));
    if (rows.z != nullptr) {
      const Floats z = load_lanes(rows.z + t * rows.z_step + channel, at.lanes);
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
    for (float* to : all) store(to + t * kLanes, Floats{});
  }
}

/// Gradients of u, delta and z of one tile and chunk, and its sums for D and delta_bias.
static inline void finish_tile(const SelectiveScanBackwardArgs& args, const AdjointInputs& rows, int64_t steps,
                               const ScanTile& at, const AdjointTile& tile, float* grad_D,
                               float* grad_bias) noexcept {
  const Floats skip = args.D != nullptr ? load_lanes(args.D + at.channel, at.lanes) : Floats{};
  Floats sum_D = load(grad_D);
  Floats sum_bias = load(grad_bias);
  const int64_t channel = at.channel - rows.first_channel;
  for (int64_t t = 0; t < steps; ++t) {
    const Floats u = load_lanes(rows.u + t * rows.u_step + channel, at.lanes);
    const Floats dy = load(tile.dy + t * kLanes);
    const Floats inner = load(tile.inner + t * kLanes);
    // slope was summed with A log2(e).
    const Floats slope = load(tile.slope + t * kLanes) * 0.693147181f;
    const Floats ddelta = fma(u, inner, slope) * load(tile.chain + t * kLanes);
    if (rows.grad_u != nullptr) {
      store_lanes(rows.grad_u + t * rows.grad_u_step + channel, fma(load(tile.delta + t * kLanes), inner, skip * dy),
                  at.lanes);
    }
    if (rows.grad_delta != nullptr) {
      store_lanes(rows.grad_delta + t * rows.grad_delta_step + channel, ddelta, at.lanes);
    }
    if (rows.grad_z != nullptr) {
      store_lanes(rows.grad_z + t * rows.grad_z_step + channel,
                  load(tile.gate + t * kLanes) * load(tile.y + t * kLanes), at.lanes);
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
