/// Rows of the SSD scans' tensors that are not in place, one chunk at a time, for all heads of an item of work.
///
/// The chunk's functions read and write `args()`: the caller's arguments where every tensor lies in place, else a copy
/// of them whose tensors are a worker's memory, addressed by the same batch rows, steps and entries.
#pragma once

#include "ssd_chunk.h"
#include "stored_rows.h"

namespace statespace::STATESPACE_ISA_NS {

/// One tensor: where the caller has it, and room for the rows of one chunk unless it is in place.
template <typename Tensor>
class ChunkTensor {
 public:
  ChunkTensor(const Tensor& tensor, int64_t outer, int64_t inner, int64_t steps, int64_t count) noexcept
      : tensor_(tensor),
        inner_(inner),
        step_(round_up(count, kLanes)),
        size_(staged_floats(tensor, outer, inner, steps, count)) {}

  int64_t floats() const noexcept { return size_; }
  void use(float*& memory) noexcept {
    memory_ = memory;
    memory += size_;
  }
  /// Entries [first, first + count) of q rows from `begin` on: `local` then names them.
  void place(const SequenceSpan& span, int64_t begin, int64_t q, int64_t first, int64_t count, Tensor& local) noexcept {
    range_ = {span.batch, begin, q, first, count, inner_};
    if (size_ == 0) return;
    // The address of step 0 and entry 0, which need not exist: computed as a number.
    const intptr_t address =
        reinterpret_cast<intptr_t>(memory_) - (begin * step_ + first) * static_cast<int64_t>(sizeof(float));
    local = {};
    local.data = reinterpret_cast<void*>(address);
    local.len_stride = step_;
  }
  void read() const noexcept {
    if (size_ > 0) read_rows(tensor_, range_, memory_, step_);
  }
  void write() const noexcept {
    if (size_ > 0) write_rows(memory_, step_, tensor_, range_);
  }
  /// Only entries [first, first + count) of what was placed.
  void write(int64_t first, int64_t count) const noexcept {
    if (size_ == 0) return;
    RowRange part = range_;
    part.first = first, part.count = count;
    write_rows(memory_ + first - range_.first, step_, tensor_, part);
  }

 private:
  const Tensor& tensor_;
  int64_t inner_;
  int64_t step_;
  int64_t size_;
  float* memory_ = nullptr;
  RowRange range_ = {};
};

/// What both directions read.
template <typename Args>
class SsdStage {
 public:
  SsdStage(const Args& args, const SsdPlan& plan) noexcept
      : local_(args),
        x_(args.x, args.n_heads, args.head_dim, plan.chunk, plan.heads_per_block * args.head_dim),
        z_(args.z, args.n_heads, args.head_dim, plan.chunk, plan.heads_per_block * args.head_dim),
        dt_(args.dt, 1, args.n_heads, plan.chunk, plan.heads_per_block),
        B_(args.B, args.n_groups, args.d_state, plan.chunk, args.d_state),
        C_(args.C, args.n_groups, args.d_state, plan.chunk, args.d_state) {}

  const Args& args() const noexcept { return local_; }
  int64_t floats() const noexcept {
    return x_.floats() + z_.floats() + dt_.floats() + B_.floats() + C_.floats();
  }
  void use(float*& memory) noexcept {
    x_.use(memory), z_.use(memory), dt_.use(memory), B_.use(memory), C_.use(memory);
  }

  /// Reads the rows of a chunk. `states_only`: what the state after it depends on.
  void load(const SsdItem& item, int64_t begin, int64_t q, bool states_only = false) noexcept {
    const SequenceSpan& span = item.sequence;
    const int64_t P = local_.head_dim, N = local_.d_state;
    x_.place(span, begin, q, item.first_head * P, item.heads * P, local_.x);
    dt_.place(span, begin, q, item.first_head, item.heads, local_.dt);
    B_.place(span, begin, q, item.group * N, N, local_.B);
    x_.read(), dt_.read(), B_.read();
    if (states_only) return;
    z_.place(span, begin, q, item.first_head * P, item.heads * P, local_.z);
    C_.place(span, begin, q, item.group * N, N, local_.C);
    z_.read(), C_.read();
  }

 protected:
  Args local_;

 private:
  ChunkTensor<SequenceView> x_, z_, dt_, B_, C_;
};

template <typename Args>
class SsdForwardStage : public SsdStage<Args> {
 public:
  SsdForwardStage(const Args& args, const SsdPlan& plan) noexcept
      : SsdStage<Args>(args, plan),
        out_(args.out, args.n_heads, args.head_dim, plan.chunk, plan.heads_per_block * args.head_dim) {}

  int64_t floats() const noexcept { return SsdStage<Args>::floats() + out_.floats(); }
  void use(float* memory) noexcept {
    SsdStage<Args>::use(memory);
    out_.use(memory);
  }
  void load(const SsdItem& item, int64_t begin, int64_t q) noexcept {
    SsdStage<Args>::load(item, begin, q);
    const int64_t P = this->local_.head_dim;
    out_.place(item.sequence, begin, q, item.first_head * P, item.heads * P, this->local_.out);
  }
  /// An item owns channels [first_p, first_p + p_count) of its heads.
  void store(const SsdItem& item) noexcept {
    const int64_t P = this->local_.head_dim;
    if (item.p_count == P) return out_.write();
    for (int64_t i = 0; i < item.heads; ++i) out_.write((item.first_head + i) * P + item.first_p, item.p_count);
  }

 private:
  ChunkTensor<SequenceTarget> out_;
};

template <typename Args>
class SsdBackwardStage : public SsdStage<Args> {
 public:
  SsdBackwardStage(const Args& args, const SsdPlan& plan) noexcept
      : SsdStage<Args>(args, plan),
        grad_out_(args.grad_out, args.n_heads, args.head_dim, plan.chunk, plan.heads_per_block * args.head_dim),
        grad_x_(args.grad_x, args.n_heads, args.head_dim, plan.chunk, plan.heads_per_block * args.head_dim),
        grad_z_(args.grad_z, args.n_heads, args.head_dim, plan.chunk, plan.heads_per_block * args.head_dim),
        grad_dt_(args.grad_dt, 1, args.n_heads, plan.chunk, plan.heads_per_block) {}

  int64_t floats() const noexcept {
    return SsdStage<Args>::floats() + grad_out_.floats() + grad_x_.floats() + grad_z_.floats() + grad_dt_.floats();
  }
  void use(float* memory) noexcept {
    SsdStage<Args>::use(memory);
    grad_out_.use(memory), grad_x_.use(memory), grad_z_.use(memory), grad_dt_.use(memory);
  }
  void load_adjoint(const SsdItem& item, int64_t begin, int64_t q) noexcept {
    SsdStage<Args>::load(item, begin, q);
    Args& local = this->local_;
    const int64_t first = item.first_head * local.head_dim, count = item.heads * local.head_dim;
    grad_out_.place(item.sequence, begin, q, first, count, local.grad_out);
    grad_out_.read();
    grad_x_.place(item.sequence, begin, q, first, count, local.grad_x);
    grad_z_.place(item.sequence, begin, q, first, count, local.grad_z);
    grad_dt_.place(item.sequence, begin, q, item.first_head, item.heads, local.grad_dt);
  }
  void store() noexcept { grad_x_.write(), grad_z_.write(), grad_dt_.write(); }

 private:
  ChunkTensor<SequenceView> grad_out_;
  ChunkTensor<SequenceTarget> grad_x_, grad_z_, grad_dt_;
};

}  // namespace statespace::STATESPACE_ISA_NS
