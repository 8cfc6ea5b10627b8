/// Chunked SSD scan, forward, of 16-bit tensors on tensor cores, with float sums; the equations are those of
/// ssd_chunk_scan.cu.
///
/// A block of four warps takes 64 rows of one head of one sequence with all its states, and tiles of 64 steps. Warp w computes 16
/// steps of the outputs and keeps 16 rows of the state, in float, in its registers:
///   scores (l, s) = C B'              then times exp(alpha_l - alpha_s) Delta_s where s <= l, rounded to 16 bits
///   y (l, p)      = exp(alpha_l) C H' + scores x
///   H (p, n)      = exp(alpha_T) H + (exp(alpha_T - alpha_s) Delta_s x)' B
/// What products round is what the inputs are rounded to already; the state and its decays stay float.
#include "launch.h"
#include "ssd_tensor_core.h"
#include "tensor_core.h"

namespace statespace::cuda {
namespace {

constexpr int kSteps = 64;
constexpr int kRows = kSsdRows;
constexpr int kWarps = kSsdThreads / kWarpSize;
static_assert(kSteps == kWarps * 16 && kRows == kWarps * 16, "a warp takes 16 steps and 16 rows");
/// Rows of 16-bit entries stand so far apart that the eight rows of a fragment lie in different banks.
constexpr int kStepPitch = kSteps + 8;

template <int kStates>
constexpr int kStatePitch = kStates + 8;

template <int kStates>
struct TensorTile {
  uint16_t C[kSteps * kStatePitch<kStates>];
  uint16_t B[kSteps * kStatePitch<kStates>];
  uint16_t state[kRows * kStatePitch<kStates>];
  /// B and x with the steps inside.
  uint16_t B_steps[kStates * kStepPitch];
  uint16_t x_steps[kRows * kStepPitch];
  LogDecays<kSteps> alpha;
  float delta[kSteps], decay[kSteps], rest[kSteps];
};

/// Two neighbouring entries.
__device__ __forceinline__ uint32_t pair_at(const uint16_t* entries) {
#if defined(__CUDACC__)
  return *reinterpret_cast<const uint32_t*>(entries);
#else
  uint32_t pair;
  std::memcpy(&pair, entries, sizeof pair);
  return pair;
#endif
}

template <MatrixFormat kFormat>
__device__ __forceinline__ uint32_t pack(float first, float second) {
  return kFormat == MatrixFormat::kBf16 ? pack_bf16(first, second) : pack_f16(first, second);
}

template <MatrixFormat kFormat>
__device__ __forceinline__ float unpack(uint32_t pair, int index) {
  const auto bits = static_cast<uint16_t>(pair >> (16 * index));
  return kFormat == MatrixFormat::kBf16 ? float_of_bf16(bits) : float_of_f16(bits);
}

__device__ __forceinline__ uint16_t bits_at(const SequenceView& view, int64_t offset) {
  return static_cast<const uint16_t*>(view.data)[offset];
}

/// Delta, alpha and what follows from them: two steps to a lane of the first warp.
template <Format kFormat, int kStates>
__device__ void prepare(const SsdChunkScanInputs& args, const SsdItem& item, int64_t batch, int64_t begin, int count,
                        TensorTile<kStates>& tile) {
  if (threadIdx.x >= kWarpSize) return;
  const int t = lane_index() * 2;
  const double rate = args.A[item.head];
  const float first = t < count ? ssd_delta<kFormat>(args, batch, begin + t, item.head) : 0.0f;
  const float second = t + 1 < count ? ssd_delta<kFormat>(args, batch, begin + t + 1, item.head) : 0.0f;
  const double both = running_sum(first * rate + second * rate);
  const double alphas[2] = {both - second * rate, both};
  const float deltas[2] = {first, second};
  const double last = __shfl_sync(kWholeWarp, alphas[(count - 1) % 2], (count - 1) / 2);
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    tile.delta[t + i] = deltas[i];
    tile.alpha.set(t + i, alphas[i]);
    tile.decay[t + i] = expf(static_cast<float>(alphas[i]));
    tile.rest[t + i] = t + i < count ? expf(static_cast<float>(last - alphas[i])) * deltas[i] : 0.0f;
  }
}

template <int kStates>
__device__ void load_tile(const SsdChunkScanInputs& args, const SsdItem& item, int64_t batch, int64_t begin, int count,
                          TensorTile<kStates>& tile) {
  for (int i = static_cast<int>(threadIdx.x); i < kSteps * kStates; i += kSsdThreads) {
    const int t = i / kStates, n = i % kStates;
    const bool inside = t < count && n < args.d_state;
    const auto load = [&](const SequenceView& view) {
      return inside ? bits_at(view, entry_offset(view, row_offset(view, batch, begin + t), item.group, n)) : uint16_t{0};
    };
    const uint16_t b = load(args.B);
    tile.B[t * kStatePitch<kStates> + n] = b;
    tile.B_steps[n * kStepPitch + t] = b;
    tile.C[t * kStatePitch<kStates> + n] = load(args.C);
  }
  for (int i = static_cast<int>(threadIdx.x); i < kSteps * kRows; i += kSsdThreads) {
    const int t = i / kRows;
    const int64_t p = item.row + i % kRows;
    tile.x_steps[i % kRows * kStepPitch + t] =
        t < count && p < args.head_dim
            ? bits_at(args.x, entry_offset(args.x, row_offset(args.x, batch, begin + t), item.head, p))
            : uint16_t{0};
  }
}

/// Outputs of the warp's 16 steps.
template <MatrixFormat kFormat, int kStates>
__device__ void multiply_outputs(const TensorTile<kStates>& tile, int first, MatrixSum (&y)[kRows / 8]) {
  constexpr int kDepth = kMatrixDepth<kFormat>;
  const auto c_at = [&](int k) {
    return matrix_a_of_bits<kFormat>(
        [&](int row, int n) { return pair_at(tile.C + (first + row) * kStatePitch<kStates> + k + n); });
  };
  for (int k = 0; k < kStates; k += kDepth) {
    const MatrixA c = c_at(k);
#pragma unroll
    for (int j = 0; j < kRows / 8; ++j) {
      multiply_add<kFormat>(y[j], c, matrix_b_of_bits<kFormat>([&](int n, int p) {
                              return pair_at(tile.state + (j * 8 + p) * kStatePitch<kStates> + k + n);
                            }));
    }
  }
#pragma unroll
  for (int j = 0; j < kRows / 8; ++j) {
    visit_sum(y[j], [&](int row, int, float& value) { value *= tile.decay[first + row]; });
  }
  // 16 steps s at a time: their scores become the left side of the product with x.
  for (int s = 0; s <= first; s += 16) {
    MatrixSum scores[2] = {};
    for (int k = 0; k < kStates; k += kDepth) {
      const MatrixA c = c_at(k);
#pragma unroll
      for (int j = 0; j < 2; ++j) {
        multiply_add<kFormat>(scores[j], c, matrix_b_of_bits<kFormat>([&](int n, int col) {
                                return pair_at(tile.B + (s + j * 8 + col) * kStatePitch<kStates> + k + n);
                              }));
      }
    }
    MatrixA mix;
#pragma unroll
    for (int j = 0; j < 2; ++j) {
      visit_sum(scores[j], [&](int row, int col, float& value) {
        const int to = first + row, from = s + j * 8 + col;
        value = from <= to ? value * tile.alpha.between(to, from) * tile.delta[from] : 0.0f;
      });
      mix.registers[2 * j] = pack<kFormat>(scores[j].values[0], scores[j].values[1]);
      mix.registers[2 * j + 1] = pack<kFormat>(scores[j].values[2], scores[j].values[3]);
    }
#pragma unroll
    for (int j = 0; j < kRows / 8; ++j) {
      multiply_add<kFormat>(y[j], mix, matrix_b_of_bits<kFormat>([&](int step, int p) {
                              return pair_at(tile.x_steps + (j * 8 + p) * kStepPitch + s + step);
                            }));
    }
  }
}

/// The warp's 16 rows of the state, one tile on.
template <MatrixFormat kFormat, int kStates>
__device__ void multiply_state(const TensorTile<kStates>& tile, int first, float kept, MatrixSum (&h)[kStates / 8]) {
#pragma unroll
  for (int j = 0; j < kStates / 8; ++j) {
    visit_sum(h[j], [&](int, int, float& value) { value *= kept; });
  }
  for (int s = 0; s < kSteps; s += kMatrixDepth<kFormat>) {
    const MatrixA x = matrix_a_of_bits<kFormat>([&](int row, int step) {
      const uint32_t pair = pair_at(tile.x_steps + (first + row) * kStepPitch + s + step);
      return pack<kFormat>(unpack<kFormat>(pair, 0) * tile.rest[s + step],
                           unpack<kFormat>(pair, 1) * tile.rest[s + step + 1]);
    });
#pragma unroll
    for (int j = 0; j < kStates / 8; ++j) {
      multiply_add<kFormat>(h[j], x, matrix_b_of_bits<kFormat>([&](int step, int n) {
                              return pair_at(tile.B_steps + (j * 8 + n) * kStepPitch + s + step);
                            }));
    }
  }
}

template <Format kStorage, int kStates>
__global__ void __launch_bounds__(kSsdThreads)
    ssd_tensor_core_kernel(const SsdChunkScanArgs args, const int64_t row_tiles, const int64_t items) {
  constexpr MatrixFormat kFormat = kStorage == Format::kBf16 ? MatrixFormat::kBf16 : MatrixFormat::kF16;
  TensorTile<kStates>& tile = shared_memory<TensorTile<kStates>>();
  const int first = static_cast<int>(threadIdx.x) / kWarpSize * 16;
  const int64_t state_size = args.n_heads * args.head_dim * args.d_state;
  for (int64_t index = blockIdx.x; index < items; index += gridDim.x) {
    const SsdItem item = ssd_item(args, {row_tiles, 1, kSteps}, index, kStates);
    const SequenceSpan span = sequence_at(args, item.sequence);
    MatrixSum h[kStates / 8] = {};
    const auto for_state = [&](auto&& visit) {
#pragma unroll
      for (int j = 0; j < kStates / 8; ++j) {
        visit_sum(h[j], [&](int row, int col, float& value) {
          const int64_t p = item.row + first + row;
          const int n = j * 8 + col;
          visit(value, first + row, n, (item.head * args.head_dim + p) * args.d_state + n,
                p < args.head_dim && n < args.d_state);
        });
      }
    };
    if (args.initial_states != nullptr && span.initial_row >= 0) {
      for_state([&](float& value, int, int, int64_t at, bool inside) {
        if (inside) value = args.initial_states[span.initial_row * state_size + at];
      });
    }
    for (int64_t begin = span.begin; begin < span.end; begin += kSteps) {
      const auto count = static_cast<int>(span.end - begin < kSteps ? span.end - begin : kSteps);
      load_tile(args, item, span.batch, begin, count, tile);
      prepare<kStorage>(args, item, span.batch, begin, count, tile);
      for_state([&](float& value, int row, int n, int64_t, bool) {
        tile.state[row * kStatePitch<kStates> + n] =
            kFormat == MatrixFormat::kBf16 ? bf16_of_float(value) : f16_of_float(value);
      });
      __syncthreads();
      MatrixSum y[kRows / 8] = {};
      multiply_outputs<kFormat>(tile, first, y);
#pragma unroll
      for (int j = 0; j < kRows / 8; ++j) {
        visit_sum(y[j], [&](int row, int col, float& value) {
          const int t = first + row, column = j * 8 + col;
          const int64_t p = item.row + column;
          if (t >= count || p >= args.head_dim) return;
          const uint32_t x = tile.x_steps[column * kStepPitch + t];
          store_ssd_output<kStorage>(args, span.batch, begin + t, item.head, p, value, unpack<kFormat>(x, 0));
        });
      }
      multiply_state<kFormat>(tile, first, tile.decay[count - 1], h);
      __syncthreads();
    }
    if (args.final_states == nullptr || span.final_row < 0) continue;
    for_state([&](float& value, int, int, int64_t at, bool inside) {
      if (inside) args.final_states[span.final_row * state_size + at] = value;
    });
  }
}

template <Format kStorage, int kStates>
Status run(const SsdChunkScanArgs& args, const DeviceSequences& sequences) {
  const int64_t row_tiles = ceil_divide<int64_t>(args.head_dim, kRows);
  const int64_t items = sequences.count() * args.n_heads * row_tiles;
  return launch(ssd_tensor_core_kernel<kStorage, kStates>,
                {blocks_for(items), kSsdThreads, sizeof(TensorTile<kStates>)}, args, row_tiles, items);
}

template <Format kStorage>
Status run_storage(const SsdChunkScanArgs& args, const DeviceSequences& sequences) {
  return args.d_state <= 64 ? run<kStorage, 64>(args, sequences) : run<kStorage, 128>(args, sequences);
}

}  // namespace

bool fits_tensor_cores(const SsdChunkScanInputs& args, Format format) noexcept {
  // Below that, most of a fragment would be empty; with more states, registers would not hold them.
  constexpr int64_t kLeast = 16, kMostStates = 128;
  return (format == Format::kBf16 || format == Format::kF16) && args.chunk_size >= kSteps && args.head_dim >= kLeast &&
         args.d_state >= kLeast && args.d_state <= kMostStates;
}

Status run_ssd_on_tensor_cores(const SsdChunkScanArgs& args, Format format, const DeviceSequences& sequences) noexcept {
  return format == Format::kBf16 ? run_storage<Format::kBf16>(args, sequences)
                                 : run_storage<Format::kF16>(args, sequences);
}

}  // namespace statespace::cuda
