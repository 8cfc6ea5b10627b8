/// Rows of the selective scan's tensors as its loops read and write them: in place, or through a worker's memory.
#pragma once

#include "scan_tiles.h"
#include "stored_rows.h"

namespace statespace::STATESPACE_ISA_NS {

/// A constant B or C is read where it lies.
STATESPACE_INLINE bool constants_in_place(const SelectiveScanInputs& args) {
  return (args.b_groups > 0 || in_place(args.B, 1, args.d_state)) &&
         (args.c_groups > 0 || in_place(args.C, 1, args.d_state));
}

/// One chunk of one block. Rows begin at the block's first channel, those of B and C at its group.
struct ScanRows {
  const float* u;
  const float* delta;
  const float* z;  // null: no gate
  const float* B;
  const float* C;
  float* out;
  int64_t u_step, delta_step, z_step, B_step, C_step, out_step;
  int64_t first_channel;
};

/// A tensor of rows, and room for those of one chunk where they are not in place.
template <typename Tensor>
class StagedTensor {
 public:
  StagedTensor(const Tensor& tensor, int64_t outer, int64_t inner, int64_t count, float*& memory) noexcept
      : tensor_(tensor), inner_(inner), step_(round_up(count, kLanes)) {
    const int64_t size = staged_floats(tensor, outer, inner, kChunk, count);
    if (size == 0) return;
    memory_ = memory;
    memory += size;
  }
  bool in_place() const noexcept { return memory_ == nullptr; }
  int64_t step() const noexcept { return in_place() ? tensor_.len_stride : step_; }

  /// The rows of a chunk from entry `first` on; null for an absent tensor.
  auto* rows(int64_t batch, int64_t begin, int64_t first) const noexcept {
    using Row = decltype(row_at(tensor_, 0, 0));
    if (tensor_.data == nullptr) return Row{nullptr};
    return in_place() ? row_at(tensor_, batch, begin) + first : Row{memory_};
  }
  void read(int64_t batch, int64_t begin, int64_t steps, int64_t first, int64_t count) const noexcept {
    if (!in_place()) read_rows(tensor_, {batch, begin, steps, first, count, inner_}, memory_, step_);
  }
  void write(int64_t batch, int64_t begin, int64_t steps, int64_t first, int64_t count) const noexcept {
    if (!in_place()) write_rows(memory_, step_, tensor_, {batch, begin, steps, first, count, inner_});
  }

 private:
  const Tensor& tensor_;
  int64_t inner_;
  int64_t step_;
  float* memory_ = nullptr;
};

/// What a worker of the forward pass keeps for the rows of one chunk of at most `channels` channels.
class ForwardStage {
 public:
  static int64_t floats(const SelectiveScanArgs& args, int64_t channels) noexcept {
    const auto wide = [&](const auto& tensor) { return staged_floats(tensor, 1, args.dim, kChunk, channels); };
    return wide(args.u) + wide(args.delta) + wide(args.z) + wide(args.out) + weights(args.B, args.b_groups, args) +
           weights(args.C, args.c_groups, args);
  }

  ForwardStage(const SelectiveScanArgs& args, int64_t channels, float* memory) noexcept
      : u_(args.u, 1, args.dim, channels, memory),
        delta_(args.delta, 1, args.dim, channels, memory),
        z_(args.z, 1, args.dim, channels, memory),
        out_(args.out, 1, args.dim, channels, memory),
        B_(args.B, larger<int64_t>(1, args.b_groups), args.d_state, args.d_state, memory),
        C_(args.C, larger<int64_t>(1, args.c_groups), args.d_state, args.d_state, memory) {}

  /// Whether rows of other chunks lie at the same steps from one another.
  bool in_place() const noexcept {
    return u_.in_place() && delta_.in_place() && z_.in_place() && out_.in_place();
  }

  ScanRows load(const SelectiveScanArgs& args, const ScanPlan& plan, const ScanBlock& block, int64_t batch,
                int64_t begin, int64_t steps) const noexcept {
    const int64_t first = plan.first_channel(block), count = plan.channels(block);
    u_.read(batch, begin, steps, first, count);
    delta_.read(batch, begin, steps, first, count);
    z_.read(batch, begin, steps, first, count);
    const int64_t from_B = block.b_group * args.d_state, from_C = block.c_group * args.d_state;
    if (args.b_groups > 0) B_.read(batch, begin, steps, from_B, args.d_state);
    if (args.c_groups > 0) C_.read(batch, begin, steps, from_C, args.d_state);
    return {u_.rows(batch, begin, first),
            delta_.rows(batch, begin, first),
            z_.rows(batch, begin, first),
            B_.rows(batch, begin, from_B),
            C_.rows(batch, begin, from_C),
            out_.rows(batch, begin, first),
            u_.step(),
            delta_.step(),
            z_.step(),
            B_.step(),
            C_.step(),
            out_.step(),
            first};
  }

  void store(const SelectiveScanArgs&, const ScanPlan& plan, const ScanBlock& block, int64_t batch, int64_t begin,
             int64_t steps) const noexcept {
    out_.write(batch, begin, steps, plan.first_channel(block), plan.channels(block));
  }

 private:
  static int64_t weights(const SequenceView& view, int64_t groups, const SelectiveScanArgs& args) noexcept {
    return groups == 0 ? 0 : staged_floats(view, groups, args.d_state, kChunk, args.d_state);
  }

  StagedTensor<SequenceView> u_, delta_, z_;
  StagedTensor<SequenceTarget> out_;
  StagedTensor<SequenceView> B_, C_;
};

}  // namespace statespace::STATESPACE_ISA_NS
