/// Many tensors worked on by one kernel. Their addresses travel as its parameters: nothing is copied to the device beforehand.
#pragma once

#include "launch.h"

namespace statespace::cuda {

/// Elements of one piece of work.
inline constexpr int64_t kSlotChunk = 4096;

template <typename Slot>
struct SlotBatch {
  /// A kernel's parameters end at 4 KiB.
  static constexpr int kMost = 56;

  int32_t count;
  /// Chunks of all batches before this one.
  int64_t chunks_before;
  /// Chunks of this batch before each slot, and behind the last.
  int64_t first_chunk[kMost + 1];
  Slot slots[kMost];

  __host__ __device__ int64_t chunks() const { return first_chunk[count]; }
};

/// A piece of a slot: elements [begin, end).
struct SlotPiece {
  int slot;
  int64_t begin;
  int64_t end;
};

template <typename Slot>
__device__ __forceinline__ SlotPiece slot_piece(const SlotBatch<Slot>& batch, int64_t chunk) {
  int low = 0, high = batch.count;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    (batch.first_chunk[middle] <= chunk ? low : high) = middle;
  }
  const int64_t begin = (chunk - batch.first_chunk[low]) * kSlotChunk, left = batch.slots[low].count - begin;
  return {low, begin, begin + (left < kSlotChunk ? left : kSlotChunk)};
}

template <typename Slot>
int64_t chunks_of(const Slot* slots, int64_t slot_count) {
  int64_t chunks = 0;
  for (int64_t i = 0; i < slot_count; ++i) chunks += ceil_divide(slots[i].count, kSlotChunk);
  return chunks;
}

/// Calls start(batch) for all slots that have elements, in order.
template <typename Slot, typename Start>
Status for_slot_batches(const Slot* slots, int64_t slot_count, const Start& start) {
  SlotBatch<Slot> batch = {};
  for (int64_t i = 0; i < slot_count; ++i) {
    if (slots[i].count > 0) {
      batch.slots[batch.count] = slots[i];
      batch.first_chunk[batch.count + 1] = batch.first_chunk[batch.count] + ceil_divide(slots[i].count, kSlotChunk);
      ++batch.count;
    }
    if (batch.count < SlotBatch<Slot>::kMost && i + 1 < slot_count) continue;
    if (batch.count == 0) break;
    const Status status = start(batch);
    if (status != Status::kOk) return status;
    batch.chunks_before += batch.chunks();
    batch.count = 0;
  }
  return Status::kOk;
}

}  // namespace statespace::cuda
