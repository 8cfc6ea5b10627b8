/// Chunked SSD scan, forward, in one kernel: with a = Delta A, alpha its running sum in a tile and H the state before it,
///
///   y[l] = sum_{s<=l} <C_l, B_s> exp(alpha_l - alpha_s) Delta_s x_s  +  exp(alpha_l) H C_l
///   H <- exp(alpha_T) H + sum_s exp(alpha_T - alpha_s) Delta_s x_s B_s'
///
/// Oracle: packages/ssd-core ssdChunkScanRef. A block walks over its sequence in tiles of at most 32 steps; the state stays in its
/// registers, 8 rows by 8 states a thread for 128 states, and goes through shared memory only to be read by row.
#include "argument_checks.h"
#include "kernels.h"
#include "launch.h"
#include "ssd_tensor_core.h"

namespace statespace::cuda {
namespace {

/// Shared memory of a block of kStates states.
template <int kStates>
struct SsdTile {
  float x[kSsdSteps * kSsdRows];
  float B[kStates * kSsdPitch];
  float C[kStates * kSsdPitch];
  float state[kStates * kSsdRows];
  /// Row l, column s: what x_s counts in y_l.
  float mix[kSsdSteps * kSsdPitch];
  float delta[kSsdSteps];
  /// exp(alpha_l), and exp(alpha_T - alpha_s) Delta_s.
  float decay[kSsdSteps];
  float rest[kSsdSteps];
  LogDecays<kSsdSteps> alpha;
};

/// The part of the state that a thread keeps: rows p, p + 1, ... and states n, n + 1, ...
template <int kStates>
struct OwnState {
  static constexpr int kRows = 8;
  static constexpr int kColumns = kStates * kSsdRows / kSsdThreads / kRows;
  int p = static_cast<int>(threadIdx.x) % (kSsdRows / kRows) * kRows;
  int n = static_cast<int>(threadIdx.x) / (kSsdRows / kRows) * kColumns;
  float h[kRows][kColumns];
};

/// Delta, alpha and what follows from them; the first warp's work.
template <Format kFormat, int kStates>
__device__ void prepare_steps(const SsdChunkScanInputs& args, const SsdItem& item, int64_t batch, int64_t begin,
                              int count, SsdTile<kStates>& tile) {
  if (threadIdx.x >= kSsdSteps) return;
  const int t = lane_index();
  const StepDecay step = step_decay<kFormat>(args, item, batch, begin, count);
  tile.delta[t] = step.delta;
  tile.alpha.set(t, step.alpha);
  tile.decay[t] = expf(static_cast<float>(step.alpha));
  tile.rest[t] = expf(static_cast<float>(step.last - step.alpha)) * step.delta;
}

/// mix[l][s] = <C_l, B_s> exp(alpha_l - alpha_s) Delta_s where s <= l, else 0: what is not selected is never computed.
template <int kStates>
__device__ void mix_steps(SsdTile<kStates>& tile) {
  constexpr int kEach = kSsdSteps * kSsdSteps / kSsdThreads;
  const int l = static_cast<int>(threadIdx.x) / (kSsdSteps / kEach);
  const int first = static_cast<int>(threadIdx.x) % (kSsdSteps / kEach) * kEach;
  float products[kEach] = {};
  for (int n = 0; n < kStates; ++n) {
    const float c = tile.C[n * kSsdPitch + l];
#pragma unroll
    for (int k = 0; k < kEach; ++k) products[k] += c * tile.B[n * kSsdPitch + first + k];
  }
#pragma unroll
  for (int k = 0; k < kEach; ++k) {
    const int s = first + k;
    tile.mix[l * kSsdPitch + s] =
        s <= l ? products[k] * tile.alpha.between(l, s) * tile.delta[s] : 0.0f;
  }
}

/// The outputs of a thread: 4 steps l and 4 rows p.
struct OwnOutputs {
  int l = static_cast<int>(threadIdx.x) / (kSsdRows / 4) * 4;
  int p = static_cast<int>(threadIdx.x) % (kSsdRows / 4) * 4;
  float y[4][4] = {};
};

template <int kStates>
__device__ void multiply(const SsdTile<kStates>& tile, OwnOutputs& own) {
  for (int n = 0; n < kStates; ++n) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float c = tile.C[n * kSsdPitch + own.l + i];
#pragma unroll
      for (int j = 0; j < 4; ++j) own.y[i][j] += c * tile.state[n * kSsdRows + own.p + j];
    }
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) {
#pragma unroll
    for (int j = 0; j < 4; ++j) own.y[i][j] *= tile.decay[own.l + i];
  }
  for (int s = 0; s < own.l + 4; ++s) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float weight = tile.mix[(own.l + i) * kSsdPitch + s];
#pragma unroll
      for (int j = 0; j < 4; ++j) own.y[i][j] += weight * tile.x[s * kSsdRows + own.p + j];
    }
  }
}

/// `partials` (slices, B, L, H, P) takes y where the states make more than one slice; null: this block finishes the output.
template <Format kFormat, int kStates>
__global__ void __launch_bounds__(kSsdThreads)
    ssd_chunk_scan_kernel(const SsdChunkScanArgs args, const SsdPass pass, float* partials, const int64_t items) {
  const SsdCut& cut = pass.cut;
  using Own = OwnState<kStates>;
  SsdTile<kStates>& tile = shared_memory<SsdTile<kStates>>();
  for (int64_t index = blockIdx.x; index < items; index += gridDim.x) {
    const SsdItem item = ssd_item(args, cut, index, kStates);
    const SequenceSpan span = sequence_at(args, item.sequence);
    Own own;
    const auto for_own_state = [&](auto&& visit) {
#pragma unroll
      for (int i = 0; i < Own::kRows; ++i) {
#pragma unroll
        for (int j = 0; j < Own::kColumns; ++j) {
          const int64_t p = item.row + own.p + i, n = item.state + own.n + j;
          visit(own.h[i][j], (item.head * args.head_dim + p) * args.d_state + n,
                p < args.head_dim && n < args.d_state);
        }
      }
    };
    const int64_t state_size = args.n_heads * args.head_dim * args.d_state;
    for_own_state([&](float& h, int64_t at, bool inside) {
      const bool given = inside && args.initial_states != nullptr && span.initial_row >= 0;
      h = given ? args.initial_states[span.initial_row * state_size + at] : 0.0f;
    });
    int64_t chunk = first_chunk(pass.chunks, item.sequence);
    for (int64_t begin = span.begin; begin < span.end; begin += cut.steps, ++chunk) {
      if (pass.states != nullptr) {
        for_own_state([&](float h, int64_t at, bool inside) {
          if (inside) pass.states[chunk * state_size + at] = h;
        });
      }
      const auto count = static_cast<int>(span.end - begin < cut.steps ? span.end - begin : cut.steps);
      load_ssd_rows<kFormat>(args.x, span.batch, begin, count, item, args.head_dim, tile.x);
      load_ssd_states<kFormat, kStates>(args.B, span.batch, begin, count, item, args.d_state, tile.B);
      load_ssd_states<kFormat, kStates>(args.C, span.batch, begin, count, item, args.d_state, tile.C);
      prepare_steps<kFormat>(args, item, span.batch, begin, count, tile);
#pragma unroll
      for (int i = 0; i < Own::kRows; ++i) {
#pragma unroll
        for (int j = 0; j < Own::kColumns; ++j) tile.state[(own.n + j) * kSsdRows + own.p + i] = own.h[i][j];
      }
      __syncthreads();
      mix_steps(tile);
      __syncthreads();

      OwnOutputs out;
      multiply(tile, out);
#pragma unroll
      for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          const int64_t step = begin + out.l + i, p = item.row + out.p + j;
          if (out.l + i >= count || p >= args.head_dim || args.out.data == nullptr) continue;
          if (partials == nullptr) {
            store_ssd_output<kFormat>(args, span.batch, step, item.head, p, out.y[i][j],
                                  tile.x[(out.l + i) * kSsdRows + out.p + j]);
          } else {
            const int64_t row = (item.slice * args.batch + span.batch) * args.seq_len + step;
            partials[(row * args.n_heads + item.head) * args.head_dim + p] = out.y[i][j];
          }
        }
      }
      const float kept = tile.decay[count - 1];
#pragma unroll
      for (int i = 0; i < Own::kRows; ++i) {
#pragma unroll
        for (int j = 0; j < Own::kColumns; ++j) own.h[i][j] *= kept;
      }
      for (int s = 0; s < count; ++s) {
        const float rest = tile.rest[s];
#pragma unroll
        for (int i = 0; i < Own::kRows; ++i) {
          const float x = rest * tile.x[s * kSsdRows + own.p + i];
#pragma unroll
          for (int j = 0; j < Own::kColumns; ++j) own.h[i][j] += x * tile.B[(own.n + j) * kSsdPitch + s];
        }
      }
      __syncthreads();
    }
    if (args.final_states == nullptr || span.final_row < 0) continue;
    for_own_state([&](float h, int64_t at, bool inside) {
      if (inside) args.final_states[span.final_row * state_size + at] = h;
    });
  }
}

/// Adds the slices up, in order, and finishes the output.
template <Format kFormat>
__global__ void __launch_bounds__(kSsdThreads)
    ssd_output_kernel(const SsdChunkScanArgs args, const float* partials, const int64_t slices, const int64_t count) {
  for (int64_t i = blockIdx.x * int64_t{kSsdThreads} + threadIdx.x; i < count; i += gridDim.x * int64_t{kSsdThreads}) {
    const int64_t p = i % args.head_dim, head = i / args.head_dim % args.n_heads;
    const int64_t row = i / (args.head_dim * args.n_heads), batch = row / args.seq_len, step = row % args.seq_len;
    float y = 0.0f;
    for (int64_t slice = 0; slice < slices; ++slice) y += partials[slice * count + i];
    const float x = load_entry<kFormat>(args.x, entry_offset(args.x, row_offset(args.x, batch, step), head, p));
    store_ssd_output<kFormat>(args, batch, step, head, p, y, x);
  }
}

template <int kStates>
Status run(const SsdChunkScanArgs& args, Format format, const DeviceSequences& sequences, float* states) {
  const SsdCut cut = cut_ssd(args, kStates);
  const SsdPass pass = {cut, sequences.chunks(), states};
  const int64_t items = sequences.count() * args.n_heads * cut.row_tiles * cut.slices;
  const int64_t count = args.batch * args.seq_len * args.n_heads * args.head_dim;
  DeviceScratch scratch;
  float* const partials = cut.slices > 1 && args.out.data != nullptr ? scratch.take<float>(cut.slices * count) : nullptr;
  if (scratch.status() != Status::kOk) return scratch.status();
  if (partials != nullptr && args.sequences.padding_count > 0) {
    // No block writes the rows of padding.
    const Status status = clear_device(partials, static_cast<size_t>(cut.slices * count) * sizeof(float));
    if (status != Status::kOk) return status;
  }
  const GridShape grid = {blocks_for(items), kSsdThreads, sizeof(SsdTile<kStates>)};
  return dispatch_format(format, [&](auto constant) {
    constexpr Format kFormat = decltype(constant)::value;
    const Status status = launch(ssd_chunk_scan_kernel<kFormat, kStates>, grid, args, pass, partials, items);
    if (status != Status::kOk || partials == nullptr) return status;
    return launch(ssd_output_kernel<kFormat>, {blocks_for(ceil_divide<int64_t>(count, kSsdThreads)), kSsdThreads, 0},
                  args, static_cast<const float*>(partials), cut.slices, count);
  });
}

}  // namespace

Status run_ssd(const SsdChunkScanArgs& args, Format format, const DeviceSequences& sequences, float* states) noexcept {
  return args.d_state <= 32 ? run<32>(args, format, sequences, states) : run<128>(args, format, sequences, states);
}

Status ssd_chunk_scan(const SsdChunkScanArgs& given) noexcept {
  const Status checked = check_ssd(given);
  if (checked != Status::kOk) return checked;
  const int64_t size = given.batch * given.seq_len * given.n_heads * given.head_dim;
  if (size > 0 && given.out.data == nullptr) return Status::kBadArgument;
  const FormatOf formats(given.x, given.dt, given.B, given.C, given.z, given.out);
  if (!formats.known()) return Status::kBadArgument;
  SsdChunkScanArgs args = given;
  place_strides(args);
  args.out = with_outer_stride(args.out, args.head_dim);
  DeviceSequences sequences;
  Status status = sequences.place(args, tile_steps(args));
  if (status != Status::kOk) return status;
  status = fits_tensor_cores(args, formats.common()) ? run_ssd_on_tensor_cores(args, formats.common(), sequences)
                                                     : run_ssd(args, formats.common(), sequences, nullptr);
  return status == Status::kOk ? sequences.clear_padding(given.out, args.n_heads, args.head_dim) : status;
}

}  // namespace statespace::cuda
