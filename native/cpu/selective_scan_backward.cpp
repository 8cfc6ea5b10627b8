/// Selective scan, backward: the gradients of every input from those of out and last_state.
///
///   g[t] = dy[t] C[t] + R[t],  R[t-1] = exp(Delta[t] A) g[t],  p[t] = exp(Delta[t] A) h[t-1]
///   du = D dy + Delta <g,B>,  dDelta = u <g,B> + <g p, A>,  dA = sum Delta g p,  dB = sum_d Delta u g,
///   dC = sum_d dy h,  dz = dout y silu'(z),  dy = dout silu(z)
///
/// p is exp(Delta A) h[t-1], never h - Delta u B, which loses its digits where p is small.
/// Oracle: packages/ssd-core selectiveScanBackwardRef; native/test/selective_scan_grad_test.cpp holds one in double.
/// Layout: as forward. An item of work is a run of sequences and a block of channels. Without checkpoints from the
/// forward pass it first sweeps forward to make them (for long sequences in two levels: one per segment, then one per
/// chunk of the segment in hand). Then, chunk by chunk from the end, the loops of selective_scan_adjoint.h over a few
/// tiles at a time, whose step data and lane-wise sums stay in L1. dB and dC of a block are summed over its channels
/// by fixed trees and go to a row of their own per block; dA, dD and d delta_bias likewise per run of sequences. A
/// last step adds the rows in order, so that no thread count changes a bit.
#include "isa_kernels.h"
#include "parallel.h"
#include "argument_checks.h"
#include "selective_scan_adjoint_io.h"
#include "selective_scan_sums.h"
#include "weight_target.h"

namespace statespace::STATESPACE_ISA_NS {

namespace {

/// Tiles that share the sums over channels before those are folded: the more, the less folding, as long as their
/// step data stay close to L1.
constexpr int64_t kPassTiles = 8;

/// Floats of checkpoints that a worker may keep; beyond that, two levels.
constexpr int64_t kCheckpointFloats = int64_t{1} << 22;

/// What all items share.
struct BackwardPass {
  const SelectiveScanBackwardArgs& args;
  const ScanPlan& plan;
  const float* rates;       // A log2(e), [tile][n][lane]
  const float* constant_B;  // [tile][n][lane], null when B varies
  const float* constant_C;
  int64_t runs;     // sequences are dealt to this many items per block
  int64_t segment;  // chunks per segment
  // Where sums go: the gradient itself where one item writes each place, else partial rows; null when not wanted.
  float* grad_B;      // [slot] of grad_B's shape, or [run] when constant
  float* grad_C;
  float* grad_A;      // [run] (D, N)
  float* grad_D;      // [run] (D)
  float* grad_bias;   // [run] (D)
};

/// Memory of one worker, cut from one block.
struct WorkerMemory {
  const BackwardStage& stage;
  AdjointTile* tiles;  // [kPassTiles]
  AdjointStates* sums;
  float* weights_B;  // [step][n]
  float* weights_C;
  float* rows_B;  // dB of the chunk, [n][step]
  float* rows_C;
  float* R;  // these: [tile][n][lane]
  float* grad_A;
  float* constant_grad_B;
  float* constant_grad_C;
  float* state;
  float* grad_D;  // [tile][lane]
  float* grad_bias;
  float* segments;     // [segment][tile][n][lane]
  float* checkpoints;  // [chunk of the segment][tile][n][lane]

  static int64_t floats(int64_t d_state, int64_t tiles, int64_t segments, int64_t chunks) noexcept {
    const int64_t block = tiles * d_state * kLanes;
    return kPassTiles * struct_floats<AdjointTile>() + struct_floats<AdjointStates>() + 4 * kChunk * d_state + 64 +
           5 * block + 2 * tiles * kLanes + (segments + chunks) * block;
  }

  WorkerMemory(const BackwardStage& rows, float* memory, int64_t d_state, int64_t tile_count,
               int64_t segment_count) noexcept
      : stage(rows) {
    const int64_t block = tile_count * d_state * kLanes;
    tiles = reinterpret_cast<AdjointTile*>(memory);
    memory += kPassTiles * struct_floats<AdjointTile>();
    sums = reinterpret_cast<AdjointStates*>(memory);
    memory += struct_floats<AdjointStates>();
    const auto take = [&memory](int64_t count) {
      float* piece = memory;
      memory += count;
      return piece;
    };
    weights_B = take(kChunk * d_state);
    weights_C = take(kChunk * d_state);
    rows_B = take(kChunk * d_state);
    rows_C = take(kChunk * d_state);
    R = take(block);
    grad_A = take(block);
    constant_grad_B = take(block);
    constant_grad_C = take(block);
    state = take(block);
    grad_D = take(tile_count * kLanes);
    grad_bias = take(tile_count * kLanes);
    segments = take(segment_count * block);
    checkpoints = memory;
  }

 private:
  template <typename T>
  static constexpr int64_t struct_floats() noexcept {
    return static_cast<int64_t>(sizeof(T) / sizeof(float));
  }
};

/// h <- state after one more step, for K states.
template <int K, bool kConstantB>
STATESPACE_INLINE void advance_only(const float* delta, const float* drive, int64_t steps, const float* rates,
                                    const float* B, const float* constant_B, int64_t d_state, int64_t n,
                                    float* state) {
  const Exp2Constants constants = exp2_constants();
  Floats rate[K], h[K];
  for (int i = 0; i < K; ++i) rate[i] = load(rates + (n + i) * kLanes);
  for (int i = 0; i < K; ++i) h[i] = load(state + (n + i) * kLanes);
  for (int64_t t = 0; t < steps; ++t) {
    const Floats step = load(delta + t * kLanes);
    const Floats in = load(drive + t * kLanes);
    Floats x[K], decay[K];
    for (int i = 0; i < K; ++i) x[i] = step * rate[i];
    exp2_all(x, decay, constants);
    for (int i = 0; i < K; ++i) {
      const Floats weight = kConstantB ? load(constant_B + (n + i) * kLanes) : broadcast(B[t * d_state + n + i]);
      h[i] = fma(decay[i], h[i], in * weight);
    }
  }
  for (int i = 0; i < K; ++i) store(state + (n + i) * kLanes, h[i]);
}

template <bool kConstantB>
void advance_tile(const AdjointTile& tile, int64_t steps, const float* rates, const float* B,
                  const float* constant_B, int64_t d_state, float* state) noexcept {
  int64_t n = 0;
  for (; n + 4 <= d_state; n += 4) {
    advance_only<4, kConstantB>(tile.delta, tile.drive, steps, rates, B, constant_B, d_state, n, state);
  }
  for (; n < d_state; ++n) {
    advance_only<1, kConstantB>(tile.delta, tile.drive, steps, rates, B, constant_B, d_state, n, state);
  }
}

/// Runs the states of a block over chunks [from, to) of a sequence. Keeps the state before each chunk in `keep`
/// ([chunk][tile][n][lane]) unless that is null.
void sweep(const BackwardPass& pass, const SequenceSpan& sequence, const ScanBlock& block, const WorkerMemory& memory,
           int64_t from, int64_t to, float* keep) noexcept {
  const SelectiveScanBackwardArgs& args = pass.args;
  const int64_t d_state = args.d_state;
  const int64_t tile_size = d_state * kLanes;
  for (int64_t chunk = from; chunk < to; ++chunk) {
    const int64_t begin = sequence.begin + chunk * kChunk;
    const int64_t steps = smaller(kChunk, sequence.end - begin);
    if (keep != nullptr) {
      float* kept = keep + (chunk - from) * block.tiles * tile_size;
      for (int64_t i = 0; i < block.tiles * tile_size; i += kLanes) store(kept + i, load(memory.state + i));
      if (chunk + 1 == to) return;
    }
    if (pass.constant_B == nullptr) {
      copy_weights(args.B, args.b_groups, sequence.batch, begin, steps, block.b_group, d_state, memory.weights_B);
    }
    const AdjointInputs rows = memory.stage.load(sequence.batch, begin, steps, pass.plan.first_channel(block),
                                                 pass.plan.channels(block), true);
    for (int64_t i = 0; i < block.tiles; ++i) {
      const int64_t index = block.first_tile + i;
      load_delta<false>(args, rows, steps, pass.plan.tile(index), memory.tiles[0]);
      const float* rates = pass.rates + index * tile_size;
      float* state = memory.state + i * tile_size;
      if (pass.constant_B != nullptr) {
        advance_tile<true>(memory.tiles[0], steps, rates, nullptr, pass.constant_B + index * tile_size, d_state, state);
      } else {
        advance_tile<false>(memory.tiles[0], steps, rates, memory.weights_B, nullptr, d_state, state);
      }
    }
  }
}

/// The rows of tile `i` of a block. `checkpoint` as in adjoint_chunk.
STATESPACE_INLINE AdjointRows rows_of(const BackwardPass& pass, const ScanBlock& block, const WorkerMemory& memory,
                                      int64_t i, const float* checkpoint) {
  const int64_t tile_size = pass.args.d_state * kLanes;
  const int64_t at = i * tile_size;
  const int64_t table = (block.first_tile + i) * tile_size;
  const ScanTile& tile = pass.plan.tile(block.first_tile + i);
  const bool external = pass.args.checkpoints != nullptr;
  return {pass.rates + table,
          memory.R + at,
          memory.grad_A + at,
          memory.constant_grad_B + at,
          memory.constant_grad_C + at,
          pass.constant_B != nullptr ? pass.constant_B + table : nullptr,
          pass.constant_C != nullptr ? pass.constant_C + table : nullptr,
          external ? checkpoint + tile.channel : checkpoint + at,
          external ? pass.args.dim : kLanes,
          external ? tile.lanes : kLanes};
}

/// What comes a pass later in the place of tile `i` of a block: in the same chunk, or in the one before it.
STATESPACE_INLINE TileRows rows_after(const BackwardPass& pass, const SequenceSpan& sequence, const ScanBlock& block,
                                      const WorkerMemory& memory, int64_t begin, int64_t steps, int64_t i) {
  if (!memory.stage.in_place()) return {pass.plan.tile(block.first_tile), begin, 0};
  const int64_t later = i + kPassTiles;
  if (later < block.tiles) return {pass.plan.tile(block.first_tile + later), begin, steps};
  const int64_t place = block.first_tile + i % kPassTiles;
  return {pass.plan.tile(place), begin - kChunk, begin > sequence.begin ? kChunk : 0};
}

/// Calls for `count` states from n on of our own checkpoint that comes a pass after that of tile `i`, into L2. (The
/// caller's rows are short pieces far apart; calling for them took longer than waiting.)
STATESPACE_INLINE void prefetch_checkpoint(const BackwardPass& pass, const ScanBlock& block, bool first_chunk,
                                           const float* checkpoint, int64_t i, int64_t n, int64_t count) {
  const int64_t later = i + kPassTiles;
  const bool same_chunk = later < block.tiles;
  if (pass.args.checkpoints != nullptr || (first_chunk && !same_chunk)) return;
  const int64_t tile = same_chunk ? later : i % kPassTiles - block.tiles;
  const float* from = checkpoint + (tile * pass.args.d_state + n) * kLanes;
  for (int64_t k = 0; k < count; ++k) prefetch_far(from + k * kLanes);
}

/// One chunk of one block, backward. `checkpoint` is the state before the chunk: our own, [tile of the block][n][lane],
/// or the caller's, [n][channel].
void adjoint_chunk(const BackwardPass& pass, const SequenceSpan& sequence, const ScanBlock& block,
                   const WorkerMemory& memory, int64_t begin, const float* checkpoint) noexcept {
  const SelectiveScanBackwardArgs& args = pass.args;
  const int64_t d_state = args.d_state;
  const int64_t steps = smaller(kChunk, sequence.end - begin);
  const int64_t padded = round_up(steps, 2);
  const bool gate = args.z.data != nullptr && args.grad_z.data != nullptr;
  if (pass.constant_B == nullptr) {
    copy_weights(args.B, args.b_groups, sequence.batch, begin, steps, block.b_group, d_state, memory.weights_B);
  }
  if (pass.constant_C == nullptr) {
    copy_weights(args.C, args.c_groups, sequence.batch, begin, steps, block.c_group, d_state, memory.weights_C);
  }
  const int64_t first_channel = pass.plan.first_channel(block), channels = pass.plan.channels(block);
  const AdjointInputs inputs = memory.stage.load(sequence.batch, begin, steps, first_channel, channels, false);
  fill_zero(memory.rows_B, kChunk * d_state);
  fill_zero(memory.rows_C, kChunk * d_state);
  const ChunkWeights weights = {memory.weights_B, memory.weights_C, d_state};
  AdjointStates& sums = *memory.sums;
  for (int64_t first = 0; first < block.tiles; first += kPassTiles) {
    const int64_t count = smaller(kPassTiles, block.tiles - first);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t index = block.first_tile + first + i;
      load_tile(args, inputs, sequence.batch, steps, pass.plan.tile(index),
                rows_after(pass, sequence, block, memory, begin, steps, first + i), memory.tiles[i]);
    }
    for (int64_t n = 0; n < d_state;) {
      const int64_t k = d_state - n >= kAdjointStates ? kAdjointStates : 1;
      fill_zero(sums.grad_B, k * kSteps);
      fill_zero(sums.grad_C, k * kSteps);
      for (int64_t i = 0; i < count; ++i) {
        const AdjointRows rows = rows_of(pass, block, memory, first + i, checkpoint);
        prefetch_checkpoint(pass, block, begin == sequence.begin, checkpoint, first + i, n, k);
        if (k == kAdjointStates) {
          adjoint_tile<kAdjointStates>(memory.tiles[i], rows, weights, padded, n, gate, sums);
        } else {
          adjoint_tile<1>(memory.tiles[i], rows, weights, padded, n, gate, sums);
        }
      }
      for (int64_t i = 0; i < k; ++i, ++n) {
        add_lane_sums(sums.grad_B + i * kSteps, memory.rows_B + n * kChunk);
        add_lane_sums(sums.grad_C + i * kSteps, memory.rows_C + n * kChunk);
      }
    }
    for (int64_t i = 0; i < count; ++i) {
      finish_tile(args, inputs, steps, pass.plan.tile(block.first_tile + first + i), memory.tiles[i],
                  memory.grad_D + (first + i) * kLanes, memory.grad_bias + (first + i) * kLanes);
    }
  }
  memory.stage.store(sequence.batch, begin, steps, first_channel, channels);
  const int64_t row = sequence.batch * args.seq_len + begin;
  const int64_t all_rows = args.batch * args.seq_len;
  if (pass.grad_B != nullptr && args.b_groups > 0) {
    const int64_t place = ((block.b_slot * all_rows + row) * args.b_groups + block.b_group) * d_state;
    store_weight_rows(memory.rows_B, steps, d_state, args.b_groups * d_state, pass.grad_B + place);
  }
  if (pass.grad_C != nullptr && args.c_groups > 0) {
    const int64_t place = ((block.c_slot * all_rows + row) * args.c_groups + block.c_group) * d_state;
    store_weight_rows(memory.rows_C, steps, d_state, args.c_groups * d_state, pass.grad_C + place);
  }
}

/// One sequence of one block, backward.
void adjoint_block(const BackwardPass& pass, const SequenceSpan& sequence, int64_t checkpoint_row,
                   const ScanBlock& block, const WorkerMemory& memory) noexcept {
  const SelectiveScanBackwardArgs& args = pass.args;
  const int64_t d_state = args.d_state;
  const int64_t tile_size = d_state * kLanes;
  const int64_t block_size = block.tiles * tile_size;
  const int64_t state_size = args.dim * d_state;
  const int64_t chunks = ceil_div(sequence.end - sequence.begin, kChunk);
  for (int64_t i = 0; i < block.tiles; ++i) {
    const ScanTile& tile = pass.plan.tile(block.first_tile + i);
    if (args.grad_last_state != nullptr && sequence.final_row >= 0) {
      tile_from_rows(args.grad_last_state + sequence.final_row * state_size, tile, d_state, 1.0f,
                     memory.R + i * tile_size);
    } else {
      fill_zero(memory.R + i * tile_size, tile_size);
    }
    if (args.initial_state != nullptr && sequence.initial_row >= 0) {
      tile_from_rows(args.initial_state + sequence.initial_row * state_size, tile, d_state, 1.0f,
                     memory.state + i * tile_size);
    } else {
      fill_zero(memory.state + i * tile_size, tile_size);
    }
  }
  if (args.checkpoints != nullptr) {
    for (int64_t chunk = chunks - 1; chunk >= 0; --chunk) {
      adjoint_chunk(pass, sequence, block, memory, sequence.begin + chunk * kChunk,
                    args.checkpoints + (checkpoint_row + chunk) * d_state * args.dim);
    }
  } else {
    const int64_t segments = ceil_div(chunks, pass.segment);
    for (int64_t i = 0; i < segments; ++i) {
      float* start = memory.segments + i * block_size;
      for (int64_t k = 0; k < block_size; k += kLanes) store(start + k, load(memory.state + k));
      if (i + 1 < segments) {
        sweep(pass, sequence, block, memory, i * pass.segment, (i + 1) * pass.segment, nullptr);
      }
    }
    for (int64_t i = segments - 1; i >= 0; --i) {
      const int64_t from = i * pass.segment;
      const int64_t to = smaller(chunks, from + pass.segment);
      const float* start = memory.segments + i * block_size;
      for (int64_t k = 0; k < block_size; k += kLanes) store(memory.state + k, load(start + k));
      sweep(pass, sequence, block, memory, from, to, memory.checkpoints);
      for (int64_t chunk = to - 1; chunk >= from; --chunk) {
        adjoint_chunk(pass, sequence, block, memory, sequence.begin + chunk * kChunk,
                      memory.checkpoints + (chunk - from) * block_size);
      }
    }
  }
  if (args.grad_initial_state == nullptr || sequence.initial_row < 0) return;
  for (int64_t i = 0; i < block.tiles; ++i) {
    rows_from_tile(memory.R + i * tile_size, pass.plan.tile(block.first_tile + i), d_state,
                   args.grad_initial_state + sequence.initial_row * state_size);
  }
}

/// All sequences of run `run`, one block; then the sums over them.
void adjoint_item(const BackwardPass& pass, const CheckpointRows& checkpoint_rows, int64_t run, const ScanBlock& block,
                  const WorkerMemory& memory) noexcept {
  const SelectiveScanBackwardArgs& args = pass.args;
  const int64_t tile_size = args.d_state * kLanes;
  fill_zero(memory.grad_A, block.tiles * tile_size);
  fill_zero(memory.constant_grad_B, block.tiles * tile_size);
  fill_zero(memory.constant_grad_C, block.tiles * tile_size);
  fill_zero(memory.grad_D, block.tiles * kLanes);
  fill_zero(memory.grad_bias, block.tiles * kLanes);
  const int64_t sequences = sequence_count(args);
  for (int64_t i = sequences * run / pass.runs; i < sequences * (run + 1) / pass.runs; ++i) {
    adjoint_block(pass, sequence_at(args, i), checkpoint_rows.of(i), block, memory);
  }
  const int64_t rows = run * args.dim;
  for (int64_t i = 0; i < block.tiles; ++i) {
    const ScanTile& tile = pass.plan.tile(block.first_tile + i);
    const auto put_rows = [&](const float* from, float* to) {
      if (to != nullptr) rows_from_tile(from + i * tile_size, tile, args.d_state, to + rows * args.d_state);
    };
    put_rows(memory.grad_A, pass.grad_A);
    if (args.b_groups == 0) put_rows(memory.constant_grad_B, pass.grad_B);
    if (args.c_groups == 0) put_rows(memory.constant_grad_C, pass.grad_C);
    const auto put_lanes = [&](const float* from, float* to) {
      if (to != nullptr) store_lanes(to + rows + tile.channel, load(from + i * kLanes), tile.lanes);
    };
    put_lanes(memory.grad_D, pass.grad_D);
    put_lanes(memory.grad_bias, pass.grad_bias);
  }
}

/// Runs of sequences: sums over sequences are kept per run, so their number bounds that memory.
constexpr int64_t kMostRuns = 64;

}  // namespace

Status selective_scan_backward(const SelectiveScanBackwardArgs& args) noexcept {
  const Status status = check_selective_scan(args);
  if (status != Status::kOk) return status;
  if (!constants_in_place(args)) return Status::kUnsupported;
  const int64_t rows = args.batch * args.seq_len;
  if (rows * args.dim > 0) {
    if (args.grad_out.data == nullptr) return Status::kBadArgument;
    if (args.grad_z.data != nullptr && args.z.data == nullptr) return Status::kBadArgument;
  }
  const WeightTarget target_B(args.grad_B, args, args.b_groups);
  const WeightTarget target_C(args.grad_C, args, args.c_groups);
  if (!target_B.ok() || !target_C.ok()) return Status::kOutOfMemory;

  if (args.dim == 0) {
    if (target_B.data() != nullptr) fill_zero(target_B.data(), rows * args.b_groups * args.d_state);
    if (target_C.data() != nullptr) fill_zero(target_C.data(), rows * args.c_groups * args.d_state);
    target_B.store();
    target_C.store();
    return Status::kOk;
  }

  const int64_t sequences = sequence_count(args);
  const ScanPlan plan(args, tiles_per_block(args, sequences, 16));
  const CheckpointRows checkpoint_rows(args, args.checkpoints != nullptr);
  if (!plan.ok() || !checkpoint_rows.ok()) return Status::kOutOfMemory;
  const int64_t d_state = args.d_state;
  const int64_t tile_size = d_state * kLanes;
  const int64_t table_size = plan.tile_count() * tile_size;
  const bool constant_B = args.b_groups == 0;
  const bool constant_C = args.c_groups == 0;
  const int64_t runs = larger<int64_t>(1, smaller(kMostRuns, sequences));
  const int64_t chunks = args.checkpoints != nullptr ? 0 : ceil_div(longest_sequence(args), kChunk);
  const int64_t block_size = larger<int64_t>(1, plan.widest() * tile_size);
  // One level while it fits; beyond, two levels of about equal size are the least memory.
  int64_t segment = larger<int64_t>(16, smaller(chunks, kCheckpointFloats / block_size));
  while (segment < chunks && segment * segment < chunks) ++segment;
  const int64_t segments = ceil_div(chunks, segment);

  // Partial rows, where more than one item adds to a place.
  const int64_t channel_rows = runs > 1 ? runs * args.dim : 0;
  const bool split_B = constant_B ? runs > 1 : plan.b_slots() > 1;
  const bool split_C = constant_C ? runs > 1 : plan.c_slots() > 1;
  const int64_t size_B = constant_B ? runs * args.dim * d_state : plan.b_slots() * rows * args.b_groups * d_state;
  const int64_t size_C = constant_C ? runs * args.dim * d_state : plan.c_slots() * rows * args.c_groups * d_state;
  const Scratch partial_B(split_B && args.grad_B.data != nullptr ? size_B : 0);
  const Scratch partial_C(split_C && args.grad_C.data != nullptr ? size_C : 0);
  const Scratch partial_A(args.grad_A != nullptr ? channel_rows * d_state : 0);
  const Scratch partial_D(args.grad_D != nullptr ? channel_rows : 0);
  const Scratch partial_bias(args.grad_delta_bias != nullptr ? channel_rows : 0);
  const Scratch tables(3 * table_size);
  const int32_t workers = worker_limit();
  const int64_t worker_size = round_up(
      WorkerMemory::floats(d_state, plan.widest(), larger<int64_t>(1, segments), smaller(chunks, segment)), kLanes);
  const Scratch memory(workers * worker_size);
  const int64_t stage_size = BackwardStage::floats(args, plan.widest() * kLanes);
  const Scratch stages(workers * stage_size);
  const Scratch* const needed[] = {&partial_B,    &partial_C, &partial_A, &partial_D,
                                   &partial_bias, &tables,    &memory,    &stages};
  for (const Scratch* scratch : needed) {
    if (!scratch->ok()) return Status::kOutOfMemory;
  }

  float* const rates = tables.data();
  float* const table_B = rates + table_size;
  float* const table_C = table_B + table_size;
  if (rows > 0 && d_state > 0) {
    for_ranges(plan.tile_count(), 16, [&](int64_t begin, int64_t end) noexcept {
      for (int64_t i = begin; i < end; ++i) {
        const ScanTile& tile = plan.tile(i);
        tile_from_rows(args.A, tile, d_state, kLog2E, rates + i * tile_size);
        if (constant_B) tile_from_rows(row_at(args.B, 0, 0), tile, d_state, 1.0f, table_B + i * tile_size);
        if (constant_C) tile_from_rows(row_at(args.C, 0, 0), tile, d_state, 1.0f, table_C + i * tile_size);
      }
    });
  }
  const auto place = [](const Scratch& partial, bool split, float* gradient) {
    return gradient != nullptr && split ? partial.data() : gradient;
  };
  const BackwardPass pass = {args,
                             plan,
                             rates,
                             constant_B ? table_B : nullptr,
                             constant_C ? table_C : nullptr,
                             runs,
                             segment,
                             place(partial_B, split_B, target_B.data()),
                             place(partial_C, split_C, target_C.data()),
                             place(partial_A, runs > 1, args.grad_A),
                             place(partial_D, runs > 1, args.grad_D),
                             place(partial_bias, runs > 1, args.grad_delta_bias)};
  const int64_t blocks = plan.block_count();
  for_chunks(runs * blocks, workers, [&](int64_t item, int32_t worker) noexcept {
    const BackwardStage stage(args, plan.widest() * kLanes, stages.data() + worker * stage_size);
    const WorkerMemory mine(stage, memory.data() + worker * worker_size, d_state, plan.widest(),
                            larger<int64_t>(1, segments));
    adjoint_item(pass, checkpoint_rows, item / blocks, plan.block(item % blocks), mine);
  });
  add_rows(pass.grad_A, runs, args.dim * d_state, args.grad_A);
  add_rows(pass.grad_D, runs, args.dim, args.grad_D);
  add_rows(pass.grad_bias, runs, args.dim, args.grad_delta_bias);
  if (constant_B) {
    add_rows(pass.grad_B, runs, args.dim * d_state, target_B.data());
  } else {
    add_slots(plan, pass.grad_B, true, args.b_groups, rows, d_state, target_B.data());
  }
  if (constant_C) {
    add_rows(pass.grad_C, runs, args.dim * d_state, target_C.data());
  } else {
    add_slots(plan, pass.grad_C, false, args.c_groups, rows, d_state, target_C.data());
  }
  target_B.store();
  target_C.store();
  clear_padding(args.sequences, args.grad_u, 1, args.dim);
  clear_padding(args.sequences, args.grad_delta, 1, args.dim);
  clear_padding(args.sequences, args.grad_z, 1, args.dim);
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS
