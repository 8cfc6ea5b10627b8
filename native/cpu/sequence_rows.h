/// What the sequence kernels share: checks of packed boundaries, rows of views, ragged lanes, prefetches.
#pragma once

#include "simd.h"
#include "statespace/sequence_view.h"
#include "statespace/status.h"

namespace statespace::STATESPACE_ISA_NS {

/// Packed boundaries ascend from 0 to seq_len in a batch of one; trivially true when there are none.
STATESPACE_INLINE Status check_packed(const PackedSequences& packed, int64_t batch, int64_t seq_len) {
  if (packed.offsets == nullptr) return Status::kOk;
  if (batch != 1 || packed.count < 0) return Status::kBadArgument;
  if (packed.offsets[0] != 0 || packed.offsets[packed.count] != seq_len) return Status::kIndexOutOfRange;
  for (int64_t i = 0; i < packed.count; ++i) {
    if (packed.offsets[i + 1] < packed.offsets[i]) return Status::kIndexOutOfRange;
  }
  return Status::kOk;
}

STATESPACE_INLINE const float* row_at(const SequenceView& view, int64_t batch, int64_t step) {
  return view.data + batch * view.batch_stride + step * view.len_stride;
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
