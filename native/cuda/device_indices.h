/// Indices that lie in the memory of the device, where the host cannot look at them before a kernel starts.
#pragma once

#include <initializer_list>

#include "device_memory.h"

namespace statespace::cuda {

/// indices[i] must lie in [low, high), or be `ignored` where that counts. Null indices are no indices.
struct IndexRange {
  const int32_t* indices = nullptr;
  int64_t count = 0;
  int64_t low = 0;
  int64_t high = 0;
  bool has_ignored = false;
  int32_t ignored = 0;
};

/// A check that is queued before the kernels that use the indices: they do nothing where it failed, and the next
/// synchronize() answers kIndexOutOfRange.
class IndexCheck {
 public:
  Status queue(std::initializer_list<IndexRange> ranges) noexcept;
  /// What kernels ask; null when there was nothing to check.
  const int32_t* refused() const noexcept { return refused_; }

 private:
  DeviceScratch flag_;
  int32_t* refused_ = nullptr;
};

__device__ __forceinline__ bool is_refused(const int32_t* refused) { return refused != nullptr && *refused != 0; }

/// The order of entries of a batch that name the same row: one thread block takes them one after another.
struct RowTurns {
  const int32_t* rows = nullptr;
  /// Of each entry, the next one with its row, or -1; and whether there is none before it. Null: every entry has its own row.
  const int32_t* next = nullptr;
  const int32_t* first = nullptr;
};

/// Finds the turns of `count` rows; negative rows stand for nothing and take no turns.
class BatchRows {
 public:
  Status queue(const int32_t* rows, int64_t count) noexcept;
  const RowTurns& turns() const noexcept { return turns_; }

 private:
  DeviceScratch memory_;
  RowTurns turns_;
};

/// The row of entry b; negative for padding.
__device__ __forceinline__ int64_t row_of(const RowTurns& turns, int64_t b) {
  return turns.rows != nullptr ? turns.rows[b] : b;
}
__device__ __forceinline__ bool has_first_turn(const RowTurns& turns, int64_t b) {
  return turns.first == nullptr || turns.first[b] != 0;
}
/// The entry that comes after b; -1 behind the last.
__device__ __forceinline__ int64_t next_turn(const RowTurns& turns, int64_t b) {
  return turns.next != nullptr ? turns.next[b] : -1;
}

}  // namespace statespace::cuda
