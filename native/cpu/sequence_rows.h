/// What the sequence kernels share: the sequences of a call, rows of tensors, ragged lanes, prefetches.
#pragma once

#include "simd.h"
#include "statespace/sequence_view.h"
#include "statespace/status.h"

namespace statespace::STATESPACE_ISA_NS {

/// Sequences of a call.
template <typename Inputs>
STATESPACE_INLINE int64_t sequence_count(const Inputs& args) {
  return args.sequences.spans != nullptr ? args.sequences.count : args.batch;
}

/// Rows of the state tensors of a call.
template <typename Inputs>
STATESPACE_INLINE int64_t state_rows(const Inputs& args) {
  return args.sequences.spans != nullptr ? args.sequences.state_rows : args.batch;
}

template <typename Inputs>
STATESPACE_INLINE SequenceSpan sequence_at(const Inputs& args, int64_t index) {
  if (args.sequences.spans != nullptr) return args.sequences.spans[index];
  return {index, 0, args.seq_len, index, index};
}

/// Steps of the longest sequence.
template <typename Inputs>
STATESPACE_INLINE int64_t longest_sequence(const Inputs& args) {
  if (args.sequences.spans == nullptr) return args.batch > 0 ? args.seq_len : 0;
  int64_t longest = 0;
  for (int64_t i = 0; i < args.sequences.count; ++i) {
    longest = larger(longest, args.sequences.spans[i].end - args.sequences.spans[i].begin);
  }
  return longest;
}

/// Whether a tensor of inner axis `inner` below an outer axis of `outer` is floats without gaps behind the length, so
/// that kernels read and write its rows in place.
template <typename Tensor>
STATESPACE_INLINE bool in_place(const Tensor& tensor, int64_t outer, int64_t inner) {
  return tensor.data == nullptr ||
         (tensor.dtype == DType::kF32 && (inner <= 1 || tensor.inner_stride == 1) &&
          (outer <= 1 || tensor.outer_stride == kPackedOuter || tensor.outer_stride == inner));
}

/// Row (batch, step) of a tensor that is `in_place`.
STATESPACE_INLINE const float* row_at(const SequenceView& view, int64_t batch, int64_t step) {
  return static_cast<const float*>(view.data) + batch * view.batch_stride + step * view.len_stride;
}
STATESPACE_INLINE float* row_at(const SequenceTarget& target, int64_t batch, int64_t step) {
  return static_cast<float*>(target.data) + batch * target.batch_stride + step * target.len_stride;
}

/// The first `lanes` lanes at p, the others 0.
STATESPACE_INLINE Floats load_lanes(const float* p, int64_t lanes) {
  return lanes == kLanes ? load(p) : load_partial(p, lanes);
}

STATESPACE_INLINE void store_lanes(float* p, Floats v, int64_t lanes) {
  if (lanes == kLanes) {
    store(p, v);
  } else {
    store_partial(p, v, lanes);
  }
}

STATESPACE_INLINE void fill_zero(float* to, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] = 0.0f;
}

/// Into L2, for lines that lie so that they would evict one another from L1.
STATESPACE_INLINE void prefetch_far(const void* p) { __builtin_prefetch(p, 0, 2); }
STATESPACE_INLINE void prefetch_to_write(void* p) { __builtin_prefetch(p, 1, 3); }

}  // namespace statespace::STATESPACE_ISA_NS
