/// Selective scan, forward.
///
///   h[t] = exp(Delta[t] A) h[t-1] + Delta[t] u[t] B[t];  out[t] = (sum_n C[t,n] h[t,n] + D u[t]) silu(z[t])
///
/// Oracle: packages/ssd-core selectiveScanRef; native/test/selective_scan_test.cpp holds a second one in double.
/// Layout: (batch, length, channels), 16 channels to a vector. A worker takes a block of channels of one sequence
/// and goes through it in chunks of 16 steps: inside a chunk, tile after tile, so that every cache line it touches
/// is used whole; inside a tile, four states at a time, so that the step data and the sums over states come from L1
/// once per four states and four independent recurrences hide each other's latency. The states of the block wait in
/// L2 between chunks. The next tile's lines are prefetched into L2, since a row of each tensor is a stream of its own,
/// there are too many of them for the hardware, and equal addresses modulo the page would evict one another from L1.
/// Stores past the caches were slower (no tile fills a page). Channels never mix, so no cut can change a bit.
#include "isa_kernels.h"
#include "parallel.h"
#include "argument_checks.h"
#include "scan_math.h"
#include "scan_stage.h"
#include "scan_tiles.h"

namespace statespace::STATESPACE_ISA_NS {

namespace {

/// Step data of one tile and chunk, lanes over channels; lives in L1.
struct TileSteps {
  alignas(64) float delta[kChunk * kLanes];
  alignas(64) float drive[kChunk * kLanes];  // Delta u
  alignas(64) float y[kChunk * kLanes];
};

struct ForwardPass {
  const SelectiveScanArgs& args;
  const ScanPlan& plan;
  const float* decay_rates;  // A log2(e), [tile][n][lane]
  const float* constant_B;   // [tile][n][lane], null when B varies
  const float* constant_C;
};

/// Rows of B or C as one chunk sees them: element n of step t at data[t * step + n], or constant per lane.
struct Weights {
  const float* data;
  int64_t step;
};

template <bool kConstant>
STATESPACE_INLINE Floats weight_at(const Weights& w, int64_t t, int64_t n) {
  return kConstant ? load(w.data + n * kLanes) : broadcast(w.data[t * w.step + n]);
}

/// Advances K states over the chunk and adds their part of the output to y.
template <int K, bool kConstantB, bool kConstantC>
STATESPACE_INLINE void advance(TileSteps& tile, int64_t steps, const float* rates, float* state, int64_t n,
                               const Weights& B, const Weights& C) {
  const Exp2Constants constants = exp2_constants();
  Floats rate[K], h[K];
  for (int i = 0; i < K; ++i) rate[i] = load(rates + (n + i) * kLanes);
  for (int i = 0; i < K; ++i) h[i] = load(state + (n + i) * kLanes);
  for (int64_t t = 0; t < steps; ++t) {
    const Floats delta = load(tile.delta + t * kLanes);
    const Floats drive = load(tile.drive + t * kLanes);
    Floats y = load(tile.y + t * kLanes);
    Floats x[K], decay[K];
    for (int i = 0; i < K; ++i) x[i] = delta * rate[i];
    exp2_all(x, decay, constants);
    for (int i = 0; i < K; ++i) h[i] = fma(decay[i], h[i], drive * weight_at<kConstantB>(B, t, n + i));
    for (int i = 0; i < K; ++i) y = fma(weight_at<kConstantC>(C, t, n + i), h[i], y);
    store(tile.y + t * kLanes, y);
  }
  for (int i = 0; i < K; ++i) store(state + (n + i) * kLanes, h[i]);
}

/// States taken together: they hide each other's latency.
constexpr int kTogether = 4;

// A function of its own: the compiler gives the loop its registers without those of the caller.
template <bool kConstantB, bool kConstantC>
[[gnu::noinline]] void advance_states(TileSteps& tile, int64_t steps, const float* rates, float* state,
                                      int64_t d_state, const Weights& B, const Weights& C) noexcept {
  int64_t n = 0;
  for (; n + kTogether <= d_state; n += kTogether) {
    advance<kTogether, kConstantB, kConstantC>(tile, steps, rates, state, n, B, C);
  }
  for (; n < d_state; ++n) advance<1, kConstantB, kConstantC>(tile, steps, rates, state, n, B, C);
}

/// Loads u and delta of `steps` rows of tile `at`, and prefetches `ahead_steps` rows of the tile that lies `forward` steps
/// and `across` channels further on.
template <bool kGate>
void load_steps(const ForwardPass& pass, const ScanRows& rows, const ScanTile& at, int64_t steps, int64_t forward,
                int64_t across, int64_t ahead_steps, TileSteps& tile) noexcept {
  const SelectiveScanArgs& args = pass.args;
  const Exp2Constants constants = exp2_constants();
  const Floats bias = args.delta_bias != nullptr ? load_lanes(args.delta_bias + at.channel, at.lanes) : Floats{};
  const Floats skip = args.D != nullptr ? load_lanes(args.D + at.channel, at.lanes) : Floats{};
  const int64_t channel = at.channel - rows.first_channel;
  for (int64_t t = 0; t < steps; ++t) {
    const float* u_row = rows.u + t * rows.u_step + channel;
    const float* delta_row = rows.delta + t * rows.delta_step + channel;
    const Floats input = load_lanes(u_row, at.lanes);
    Floats step = load_lanes(delta_row, at.lanes) + bias;
    if (args.delta_softplus) step = softplus_from(step, exp_minus_abs(step, constants));
    store(tile.delta + t * kLanes, step);
    store(tile.drive + t * kLanes, step * input);
    store(tile.y + t * kLanes, skip * input);
    if (t < ahead_steps) {
      prefetch_far(u_row + forward * rows.u_step + across);
      prefetch_far(delta_row + forward * rows.delta_step + across);
      if (kGate) prefetch_far(rows.z + (forward + t) * rows.z_step + channel + across);
      prefetch_to_write(rows.out + (forward + t) * rows.out_step + channel + across);
    }
  }
}

/// Gates y, where there is a gate, and writes it.
template <bool kGate>
void store_steps(const ScanRows& rows, const ScanTile& at, int64_t steps, const TileSteps& tile) noexcept {
  const Exp2Constants constants = exp2_constants();
  const int64_t channel = at.channel - rows.first_channel;
  for (int64_t t = 0; t < steps; ++t) {
    Floats y = load(tile.y + t * kLanes);
    if (kGate) {
      const Floats gate = load_lanes(rows.z + t * rows.z_step + channel, at.lanes);
      y *= gate * logistic_of(gate, constants);
    }
    store_lanes(rows.out + t * rows.out_step + channel, y, at.lanes);
  }
}

void store_checkpoint(const ForwardPass& pass, int64_t row, const ScanTile& at, const float* state) noexcept {
  const SelectiveScanArgs& args = pass.args;
  float* to = args.checkpoints + row * args.d_state * args.dim + at.channel;
  for (int64_t n = 0; n < args.d_state; ++n) store_lanes(to + n * args.dim, load(state + n * kLanes), at.lanes);
}

/// One sequence, one block of channels. `states` is room for [tile][n][lane], `stage` for rows that are not in place.
void scan_block(const ForwardPass& pass, const SequenceSpan& sequence, int64_t checkpoint_row, const ScanBlock& block,
                float* states, const ForwardStage& stage) noexcept {
  const SelectiveScanArgs& args = pass.args;
  const int64_t d_state = args.d_state;
  const int64_t tile_size = d_state * kLanes;
  for (int64_t i = 0; i < block.tiles; ++i) {
    float* state = states + i * tile_size;
    if (args.initial_state != nullptr && sequence.initial_row >= 0) {
      tile_from_rows(args.initial_state + sequence.initial_row * args.dim * d_state,
                     pass.plan.tile(block.first_tile + i), d_state, 1.0f, state);
    } else {
      for (int64_t n = 0; n < d_state; ++n) store(state + n * kLanes, Floats{});
    }
  }
  TileSteps tile;
  for (int64_t begin = sequence.begin; begin < sequence.end; begin += kChunk) {
    const int64_t steps = smaller(kChunk, sequence.end - begin);
    const ScanRows rows = stage.load(args, pass.plan, block, sequence.batch, begin, steps);
    Weights B = {rows.B, rows.B_step};
    Weights C = {rows.C, rows.C_step};
    // Chosen once: at every step the tests took a thirtieth of the time of a call without a gate.
    const auto load_tile = rows.z != nullptr ? load_steps<true> : load_steps<false>;
    const auto store_tile = rows.z != nullptr ? store_steps<true> : store_steps<false>;
    const int64_t steps_behind = smaller(steps, sequence.end - begin - steps);
    for (int64_t i = 0; i < block.tiles; ++i) {
      const int64_t index = block.first_tile + i;
      const ScanTile& at = pass.plan.tile(index);
      const bool last = i + 1 == block.tiles;
      const int64_t next = pass.plan.tile(last ? block.first_tile : index + 1).channel;
      const int64_t ahead = last ? steps_behind : steps;
      load_tile(pass, rows, at, steps, last ? kChunk : 0, next - at.channel, stage.in_place() ? ahead : 0, tile);
      float* state = states + i * tile_size;
      if (args.checkpoints != nullptr) {
        store_checkpoint(pass, checkpoint_row + (begin - sequence.begin) / kChunk, at, state);
      }
      const float* rates = pass.decay_rates + index * tile_size;
      if (pass.constant_B != nullptr) B.data = pass.constant_B + index * tile_size;
      if (pass.constant_C != nullptr) C.data = pass.constant_C + index * tile_size;
      if (pass.constant_B != nullptr) {
        if (pass.constant_C != nullptr) {
          advance_states<true, true>(tile, steps, rates, state, d_state, B, C);
        } else {
          advance_states<true, false>(tile, steps, rates, state, d_state, B, C);
        }
      } else if (pass.constant_C != nullptr) {
        advance_states<false, true>(tile, steps, rates, state, d_state, B, C);
      } else {
        advance_states<false, false>(tile, steps, rates, state, d_state, B, C);
      }
      store_tile(rows, at, steps, tile);
    }
    stage.store(args, pass.plan, block, sequence.batch, begin, steps);
  }
  if (args.last_state == nullptr || sequence.final_row < 0) return;
  for (int64_t i = 0; i < block.tiles; ++i) {
    rows_from_tile(states + i * tile_size, pass.plan.tile(block.first_tile + i), d_state,
                   args.last_state + sequence.final_row * args.dim * d_state);
  }
}

}  // namespace

Status selective_scan(const SelectiveScanArgs& args) noexcept {
  const Status status = check_selective_scan(args);
  if (status != Status::kOk) return status;
  if (!constants_in_place(args)) return Status::kUnsupported;
  const int64_t sequences = sequence_count(args);
  if (args.checkpoints != nullptr) {
    const int64_t used = selective_scan_checkpoint_size(args);
    for (int64_t i = used; i < args.checkpoint_room; ++i) args.checkpoints[i] = 0;
  }
  if (args.dim == 0) return Status::kOk;
  const int64_t elements = args.batch * args.seq_len * args.dim;
  if (elements > 0 && args.out.data == nullptr) return Status::kBadArgument;
  clear_padding(args.sequences, args.out, 1, args.dim);
  if (sequences == 0) return Status::kOk;

  const ScanPlan plan(args, tiles_per_block(args, sequences, 16));
  const CheckpointRows checkpoint_rows(args, args.checkpoints != nullptr);
  if (!plan.ok() || !checkpoint_rows.ok()) return Status::kOutOfMemory;
  const int64_t tile_size = args.d_state * kLanes;
  const int64_t table_size = plan.tile_count() * tile_size;
  const int32_t workers = worker_limit();
  const Scratch tables(3 * table_size);
  const int64_t worker_size = plan.widest() * tile_size;
  const Scratch states(workers * worker_size);
  const int64_t stage_size = ForwardStage::floats(args, plan.widest() * kLanes);
  const Scratch stages(workers * stage_size);
  if (!tables.ok() || !states.ok() || !stages.ok()) return Status::kOutOfMemory;

  const bool constant_B = args.b_groups == 0;
  const bool constant_C = args.c_groups == 0;
  float* const rates = tables.data();
  float* const table_B = rates + table_size;
  float* const table_C = table_B + table_size;
  if (args.seq_len > 0 && args.d_state > 0) {
    for_ranges(plan.tile_count(), 16, [&](int64_t begin, int64_t end) noexcept {
      for (int64_t i = begin; i < end; ++i) {
        const ScanTile& tile = plan.tile(i);
        tile_from_rows(args.A, tile, args.d_state, kLog2E, rates + i * tile_size);
        if (constant_B) tile_from_rows(row_at(args.B, 0, 0), tile, args.d_state, 1.0f, table_B + i * tile_size);
        if (constant_C) tile_from_rows(row_at(args.C, 0, 0), tile, args.d_state, 1.0f, table_C + i * tile_size);
      }
    });
  }
  const ForwardPass pass = {args, plan, rates, constant_B ? table_B : nullptr, constant_C ? table_C : nullptr};
  const int64_t blocks = plan.block_count();
  for_chunks(sequences * blocks, workers, [&](int64_t item, int32_t worker) noexcept {
    const ForwardStage stage(args, plan.widest() * kLanes, stages.data() + worker * stage_size);
    scan_block(pass, sequence_at(args, item / blocks), checkpoint_rows.of(item / blocks), plan.block(item % blocks),
               states.data() + worker * worker_size, stage);
  });
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS
