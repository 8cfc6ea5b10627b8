/// The memory of an SSD backward pass, and what happens before and after its main kernel.
#pragma once

#include "ssd_tile.h"

namespace statespace::cuda {

/// Where blocks leave their sums; null where nobody asked. Parts are tiles of rows and slices of states.
struct SsdPartials {
  float* x = nullptr;      // (slices, B, L, H, P), without D dy
  float* delta = nullptr;  // (parts, B, L, H), through clamp and softplus
  float* A = nullptr;      // (sequences, parts, H)
  float* bias = nullptr;   // (sequences, parts, H)
  float* D = nullptr;      // (sequences, H, P)
  float* B = nullptr;      // (heads of a round, tiles of rows, B, L, G, N)
  float* C = nullptr;      // as B
};

class SsdGradients {
 public:
  /// Sequences and strides of `args` are placed.
  SsdGradients(const SsdChunkScanBackwardArgs& args, const SsdCut& cut, const DeviceSequences& sequences)
      : args_(args), sequences_(sequences), pass_{cut, sequences.chunks(), nullptr} {}

  /// Takes the memory, and computes the states before all tiles, and y where the gate's gradient needs it.
  Status restore(Format format) noexcept;
  /// Takes the memory of dB and dC of rounds of at most `parts` parts.
  Status reserve_states(int64_t parts) noexcept;
  /// Adds the parts of a round to those before.
  Status add_round(int64_t parts, bool first) noexcept;
  /// Sums everything up into the gradients.
  Status finish() noexcept;

  const SsdPass& pass() const noexcept { return pass_; }
  const SsdPartials& partials() const noexcept { return partials_; }

 private:
  int64_t rows() const { return args_.batch * args_.seq_len; }
  int64_t coefficients() const { return rows() * args_.n_groups * args_.d_state; }
  int64_t parts() const { return pass_.cut.row_tiles * pass_.cut.slices; }
  float* take(int64_t count) noexcept;
  Status finish_rows() noexcept;

  const SsdChunkScanBackwardArgs& args_;
  const DeviceSequences& sequences_;
  SsdPass pass_;
  SsdPartials partials_;
  float* y_ = nullptr;
  float* sum_B_ = nullptr;
  float* sum_C_ = nullptr;
  DeviceScratch memory_[12];
  int used_ = 0;
  Status status_ = Status::kOk;
};

/// tile[t][p] = dy = grad_out silu(z); 0 beyond the tensor.
template <Format kFormat>
__device__ __forceinline__ void load_grad_rows(const SsdChunkScanBackwardArgs& args, int64_t batch, int64_t step,
                                               int count, const SsdItem& item, float* tile) {
  for (int i = static_cast<int>(threadIdx.x); i < kSsdSteps * kSsdRows; i += kSsdThreads) {
    const int t = i / kSsdRows;
    const int64_t p = item.row + i % kSsdRows;
    float dy = 0.0f;
    if (t < count && p < args.head_dim) {
      const auto load = [&](const SequenceView& view) {
        return load_entry<kFormat>(view, entry_offset(view, row_offset(view, batch, step + t), item.head, p));
      };
      dy = load(args.grad_out);
      if (args.z.data != nullptr) dy *= silu(load(args.z));
    }
    tile[i] = dy;
  }
}

/// d Delta / d dt of one step: 0 where dt_limit clamps, else softplus' slope.
template <Format kFormat>
__device__ __forceinline__ float ssd_delta_slope(const SsdChunkScanInputs& args, int64_t batch, int64_t step,
                                                 int64_t head) {
  float v = load_entry<kFormat>(args.dt, row_offset(args.dt, batch, step) + head * args.dt.inner_stride);
  if (args.dt_bias != nullptr) v += args.dt_bias[head];
  const float delta = args.dt_softplus ? softplus(v) : v;
  if (delta < args.dt_min || delta > args.dt_max) return 0.0f;
  return args.dt_softplus ? softplus_slope(v) : 1.0f;
}

}  // namespace statespace::cuda
