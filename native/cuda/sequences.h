/// The sequences of a call, as kernels see them.
#pragma once

#include "device_memory.h"

namespace statespace::cuda {

/// A call's sequences in the memory of the device.
class DeviceSequences {
 public:
  /// Copies the spans of `args`, if it has any, and points them to the copies. `chunk` steps make a chunk; 0 where none are counted.
  template <typename Inputs>
  Status place(Inputs& args, int64_t chunk = 0) noexcept {
    host_ = args.sequences;
    const Status status = copy(args.sequences, chunk);
    count_ = host_.spans != nullptr ? host_.count : args.batch;
    return status;
  }

  int64_t count() const noexcept { return count_; }

  /// Chunks before each packed sequence; null where every batch row is one sequence.
  const int64_t* chunks_before() const noexcept { return chunks_before_; }

  /// Zeros in the rows of padding of a (B, L, outer, inner) output.
  Status clear_padding(const SequenceTarget& target, int64_t outer, int64_t inner) const noexcept;

 private:
  Status copy(SequenceSpans& sequences, int64_t chunk) noexcept;

  SequenceSpans host_;
  int64_t count_ = 0;
  DeviceScratch spans_, padding_, chunk_counts_;
  const StepRange* device_padding_ = nullptr;
  const int64_t* chunks_before_ = nullptr;
};

/// Rows of the state tensors of a call.
template <typename Inputs>
int64_t state_rows(const Inputs& args) {
  return args.sequences.spans != nullptr ? args.sequences.state_rows : args.batch;
}

/// Sequence `index` of a call whose spans lie on the device.
template <typename Inputs>
__device__ __forceinline__ SequenceSpan sequence_at(const Inputs& args, int64_t index) {
  if (args.sequences.spans != nullptr) return args.sequences.spans[index];
  return {index, 0, args.seq_len, index, index};
}

}  // namespace statespace::cuda
