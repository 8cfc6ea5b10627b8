/// The sequences of a call, as kernels see them.
#pragma once

#include "device_memory.h"

namespace statespace::cuda {

/// How sequences are cut into chunks of so many steps.
struct SequenceChunks {
  /// Chunks before each packed sequence; null where every batch row is one sequence of `per_row` chunks.
  const int64_t* before = nullptr;
  int64_t sequences = 0;
  int64_t steps = 0;
  int64_t per_row = 0;
  int64_t total = 0;
};

__device__ __forceinline__ int64_t first_chunk(const SequenceChunks& chunks, int64_t sequence) {
  return chunks.before != nullptr ? chunks.before[sequence] : sequence * chunks.per_row;
}

/// A call's sequences in the memory of the device.
class DeviceSequences {
 public:
  /// Copies the spans of `args`, if it has any, and points them to the copies. Sequences are cut into chunks of
  /// `chunk` steps, each into `least` at least; 0 where nobody asks for chunks.
  template <typename Inputs>
  Status place(Inputs& args, int64_t chunk = 0, int64_t least = 0) noexcept {
    host_ = args.sequences;
    if (host_.spans != nullptr) {
      count_ = host_.count;
      return copy(args.sequences, chunk, least);
    }
    count_ = args.batch;
    if (chunk > 0) chunks_ = {nullptr, count_, chunk, chunks_of(args.seq_len, chunk, least), 0};
    chunks_.total = count_ * chunks_.per_row;
    return Status::kOk;
  }

  int64_t count() const noexcept { return count_; }
  const SequenceChunks& chunks() const noexcept { return chunks_; }

  /// Zeros in the rows of padding of a (B, L, outer, inner) output.
  Status clear_padding(const SequenceTarget& target, int64_t outer, int64_t inner) const noexcept;

 private:
  static int64_t chunks_of(int64_t steps, int64_t chunk, int64_t least) noexcept {
    const int64_t count = ceil_divide(steps, chunk);
    return count < least ? least : count;
  }
  Status copy(SequenceSpans& sequences, int64_t chunk, int64_t least) noexcept;

  SequenceSpans host_;
  int64_t count_ = 0;
  DeviceScratch spans_, padding_, chunk_counts_;
  const StepRange* device_padding_ = nullptr;
  SequenceChunks chunks_;
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

/// One chunk of a sequence: steps [begin, end).
struct SequencePiece {
  SequenceSpan span;
  int64_t begin;
  int64_t end;
  bool first;
  bool last;
};

template <typename Inputs>
__device__ __forceinline__ SequencePiece piece_at(const Inputs& args, const SequenceChunks& chunks, int64_t index) {
  int64_t sequence = index / (chunks.per_row > 0 ? chunks.per_row : 1);
  if (chunks.before != nullptr) {
    // The last sequence that begins at or before the chunk; those without chunks begin where the next one does.
    int64_t low = 0, high = chunks.sequences;
    while (high - low > 1) {
      const int64_t middle = low + (high - low) / 2;
      (chunks.before[middle] <= index ? low : high) = middle;
    }
    sequence = low;
  }
  const SequenceSpan span = sequence_at(args, sequence);
  const int64_t inside = index - first_chunk(chunks, sequence);
  const int64_t begin = span.begin + inside * chunks.steps, end = begin + chunks.steps;
  return {span, begin, end < span.end ? end : span.end, inside == 0, end >= span.end};
}

}  // namespace statespace::cuda
