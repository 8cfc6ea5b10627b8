/// Selective scan, forward.
///
///   h[t] = exp(Delta[t] A) h[t-1] + Delta[t] u[t] B[t]      y[t] = <C[t], h[t]> + D u[t]
///
/// Oracle: packages/ssd-core selectiveScanRef. A block walks its sequence in tiles of 16 steps: it computes Delta and
/// Delta u once per step and channel into shared memory, sweeps over the steps with the states in registers, and writes
/// the outputs of the tile, all threads along the channels. The 16 exponentials of a step and channel at d_state 16 set the time, not
/// the bytes.
#include "launch.h"
#include "argument_checks.h"
#include "kernels.h"
#include "selective_scan_tile.h"

namespace statespace::cuda {
namespace {

/// Shared memory: arrays of kTileSteps rows.
struct ScanTile {
  float *delta, *input, *u, *y, *B, *C;

  __device__ ScanTile(float* memory, const ScanCut& cut, int parts) {
    const int entries = kTileSteps * cut.channels;
    delta = memory;
    input = delta + entries;
    u = input + entries;
    y = u + entries;
    B = y + entries;
    C = B + kTileSteps * cut.padded_states * parts;
  }
  static int64_t bytes(const ScanCut& cut, int parts) {
    return static_cast<int64_t>(sizeof(float)) * kTileSteps * (4 * cut.channels + 2 * cut.padded_states * parts);
  }
};

/// Writes the state before the tile to row `row` of the checkpoints (rows, N, D).
template <int kStates, typename Value>
__device__ void store_checkpoint(const SelectiveScanArgs& args, int64_t row, int64_t channel, int first,
                                 const Value (&h)[kStates]) {
#pragma unroll
  for (int s = 0; s < kStates; ++s) {
    if (first + s < args.d_state) {
      put_value_at(args.checkpoints, (row * args.d_state + first + s) * args.dim + channel, h[s]);
    }
  }
}

template <Format kFormat, typename Value, int kStates>
__global__ void __launch_bounds__(kScanThreads)
    selective_scan_kernel(const SelectiveScanArgs args, const ScanCut cut, const SequenceChunks chunks,
                          const int64_t items) {
  const ScanTile tile(&shared_memory<float>(), cut, kParts<Value>);
  const OwnStates own = own_states<kStates>(cut);
  const auto d_state = static_cast<int>(args.d_state);
  for (int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    const ChannelBlock channels = channels_of(args, cut, item % cut.blocks);
    const int64_t sequence = item / cut.blocks;
    const SequenceSpan span = sequence_at(args, sequence);
    const bool present = own.channel < channels.count;
    const int64_t channel = channels.first + own.channel;

    Value rate[kStates], b[kStates], c[kStates], h[kStates];
    load_own(args.A, channel, d_state, own.first, present, rate);
#pragma unroll
    for (int s = 0; s < kStates; ++s) rate[s] = rate_of(rate[s]);
    load_own(static_cast<const float*>(args.B.data), channel, d_state, own.first, present && args.b_groups == 0, b);
    load_own(static_cast<const float*>(args.C.data), channel, d_state, own.first, present && args.c_groups == 0, c);
    load_own(args.initial_state, span.initial_row * args.dim + channel, d_state, own.first,
             present && args.initial_state != nullptr && span.initial_row >= 0, h);
    int64_t checkpoint = first_chunk(chunks, sequence);

    for (int64_t begin = span.begin; begin < span.end; begin += kTileSteps, ++checkpoint) {
      const auto steps = static_cast<int>(span.end - begin < kTileSteps ? span.end - begin : kTileSteps);
      for_each_entry(cut, channels, steps, [&](int step, int entry, bool inside) {
        const int at = tile_index(cut, step, entry);
        const float delta =
            inside ? load_step<kFormat>(args, span.batch, begin + step, channels.first + entry).delta : 0.0f;
        const float u =
            inside ? load_channel<kFormat>(args.u, span.batch, begin + step, channels.first + entry) : 0.0f;
        tile.delta[at] = delta;
        tile.input[at] = delta * u;
        tile.u[at] = u;
      });
      load_B_and_C<kFormat, Value>(args, channels, cut, span.batch, begin, steps, d_state, tile.B, tile.C);
      if (args.checkpoints != nullptr && present) store_checkpoint(args, checkpoint, channel, own.first, h);
      __syncthreads();

      for (int step = 0; step < steps; ++step) {
        const int at = tile_index(cut, step, own.channel);
        const int row = (step * cut.padded_states + own.first) * kParts<Value>;
        const float delta = tile.delta[at], input = tile.input[at];
        if (args.b_groups > 0) load_tile_row(tile.B + row, b);
        if (args.c_groups > 0) load_tile_row(tile.C + row, c);
        float y = 0.0f;
#pragma unroll
        for (int s = 0; s < kStates; ++s) {
          h[s] = decay_of(delta, rate[s]) * h[s] + input * b[s];
          y += output_product(c[s], h[s]);
        }
        y = sum_over_lanes(y, cut.lanes);
        if (own.first == 0) tile.y[at] = y;
      }
      __syncthreads();

      // Each entry belongs to one thread, here and where the next tile is loaded: no barrier is needed in between.
      for_each_entry(cut, channels, steps, [&](int step, int entry, bool inside) {
        if (!inside || args.out.data == nullptr) return;
        const int at = tile_index(cut, step, entry);
        const int64_t out_channel = channels.first + entry;
        float out = tile.y[at];
        if (args.D != nullptr) out += args.D[out_channel] * tile.u[at];
        if (args.z.data != nullptr) {
          out *= silu(load_channel<kFormat>(args.z, span.batch, begin + step, out_channel));
        }
        store_channel<kFormat>(args.out, span.batch, begin + step, out_channel, out);
      });
    }
    if (args.last_state != nullptr && span.final_row >= 0) {
      store_own(args.last_state, span.final_row * args.dim + channel, d_state, own.first, present, h);
    }
  }
}

template <typename Value, int kStates>
Status run(const SelectiveScanArgs& args, const ScanCut& cut, Format format, const DeviceSequences& sequences) {
  const int64_t items = sequences.count() * cut.blocks;
  const GridShape grid = {blocks_for(items), kScanThreads, ScanTile::bytes(cut, kParts<Value>)};
  return dispatch_format(format, [&](auto constant) {
    return launch(selective_scan_kernel<decltype(constant)::value, Value, kStates>, grid, args, cut,
                  sequences.chunks(), items);
  });
}

/// States to a thread: few where there are few channels, so that all of the device has work.
constexpr int64_t kManyChannels = 32768;

/// Without `out` only the states are computed.
template <typename Value>
Status scan(SelectiveScanArgs args) noexcept {
  const FormatOf formats(args.u, args.delta, args.z, args.out, args.b_groups > 0 ? args.B : args.u,
                         args.c_groups > 0 ? args.C : args.u);
  if (!formats.known()) return Status::kBadArgument;
  args.B = with_outer_stride(args.B, args.d_state);
  args.C = with_outer_stride(args.C, args.d_state);
  DeviceSequences sequences;
  Status status = sequences.place(args, kTileSteps);
  const int64_t used = sequences.chunks().total * args.d_state * args.dim;
  if (status == Status::kOk && args.checkpoints != nullptr && used < args.checkpoint_room) {
    status = clear_device(args.checkpoints + used, static_cast<size_t>(args.checkpoint_room - used) * sizeof(float));
  }
  if (status == Status::kOk) status = sequences.clear_padding(args.out, 1, args.dim);
  if (status != Status::kOk || args.dim == 0 || sequences.count() == 0) return status;
  const bool many = sequences.count() * args.dim >= kManyChannels;
  if (args.d_state > 128 || (many && args.d_state > 4)) {
    const ScanCut cut = cut_channels(args, 8);
    return run<Value, 8>(args, cut, formats.common(), sequences);
  }
  return run<Value, 4>(args, cut_channels(args, 4), formats.common(), sequences);
}

Status check_forward(const SelectiveScanArgs& args) {
  const Status status = check_selective_scan(args);
  if (status != Status::kOk) return status;
  return args.batch * args.seq_len * args.dim > 0 && args.out.data == nullptr ? Status::kBadArgument : Status::kOk;
}

template <typename Value>
Status scan_states(const SelectiveScanInputs& inputs, float* checkpoints) noexcept {
  SelectiveScanArgs args;
  static_cast<SelectiveScanInputs&>(args) = inputs;
  args.checkpoints = checkpoints;
  return scan<Value>(args);
}

}  // namespace

ScanCut cut_channels(const SelectiveScanInputs& args, int states_per_thread) noexcept {
  ScanCut cut;
  const auto greatest_divisor = [](int64_t a, int64_t b) {
    while (b != 0) {
      const int64_t rest = a % b;
      a = b;
      b = rest;
    }
    return a;
  };
  const int64_t b_width = args.b_groups > 0 ? args.dim / args.b_groups : args.dim;
  const int64_t c_width = args.c_groups > 0 ? args.dim / args.c_groups : args.dim;
  cut.segment = greatest_divisor(b_width, c_width);
  if (cut.segment == 0) return cut;
  while (cut.lanes < kWarpSize && (cut.lanes * states_per_thread < args.d_state || cut.channels >= 2 * cut.segment)) {
    cut.lanes *= 2;
    cut.channels /= 2;
    --cut.log2_channels;
  }
  cut.blocks_per_segment = ceil_divide<int64_t>(cut.segment, cut.channels);
  cut.blocks = args.dim / cut.segment * cut.blocks_per_segment;
  cut.padded_states = cut.lanes * states_per_thread;
  return cut;
}

Status write_checkpoints(const SelectiveScanInputs& inputs, float, float* checkpoints) noexcept {
  return scan_states<float>(inputs, checkpoints);
}
Status write_checkpoints(const SelectiveScanInputs& inputs, Complex, float* checkpoints) noexcept {
  return scan_states<Complex>(inputs, checkpoints);
}

Status selective_scan(const SelectiveScanArgs& args) noexcept {
  const Status status = check_forward(args);
  return status == Status::kOk ? scan<float>(args) : status;
}

Status selective_scan_c64(const SelectiveScanArgs& args) noexcept {
  const Status status = check_forward(args);
  if (status != Status::kOk) return status;
  SelectiveScanArgs without = args;
  without.checkpoints = nullptr;
  return scan<Complex>(without);
}

}  // namespace statespace::cuda
