/// Where the gradients of B and C, (B, L, G, N), are summed: in place where they are contiguous, else in memory of our
/// own that is stored in the end. A constant B or C has no groups and is always in place.
#pragma once

#include "scratch.h"
#include "stored_rows.h"

namespace statespace::STATESPACE_ISA_NS {

class WeightTarget {
 public:
  template <typename Inputs>
  WeightTarget(const SequenceTarget& target, const Inputs& args, int64_t groups) noexcept
      : target_(target),
        sequences_(args.sequences),
        batch_(args.batch),
        seq_len_(args.seq_len),
        groups_(groups),
        d_state_(args.d_state),
        contiguous_(is_contiguous()),
        memory_(contiguous_ ? 0 : size()) {}

  bool ok() const noexcept { return memory_.ok(); }
  /// Null when the gradient is not wanted.
  float* data() const noexcept { return contiguous_ ? static_cast<float*>(target_.data) : memory_.data(); }
  int64_t size() const noexcept { return batch_ * seq_len_ * groups_ * d_state_; }
  /// After the sums: stores them, and the zeros of padding.
  void store() const noexcept {
    if (!contiguous_) store_sequence(memory_.data(), batch_, seq_len_, groups_, d_state_, target_);
    if (groups_ > 0) clear_padding(sequences_, target_, groups_, d_state_);
  }

 private:
  bool is_contiguous() const noexcept {
    if (target_.data == nullptr || groups_ == 0) return true;
    const int64_t row = groups_ * d_state_;
    return in_place(target_, groups_, d_state_) && (seq_len_ <= 1 || target_.len_stride == row) &&
           (batch_ <= 1 || target_.batch_stride == seq_len_ * row);
  }

  const SequenceTarget& target_;
  const SequenceSpans& sequences_;
  int64_t batch_, seq_len_, groups_, d_state_;
  bool contiguous_;
  Scratch memory_;
};

}  // namespace statespace::STATESPACE_ISA_NS
