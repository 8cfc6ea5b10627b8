/// Threads that work on one row together: a warp where rows are short, the whole block where they are long.
#pragma once

#include "launch.h"

namespace statespace::cuda {

inline constexpr int kRowThreads = 256;

/// Rows from this length on get a block.
inline constexpr int64_t kLongRow = 1024;

struct RowShared {
  // Of two joins, one after the other: threads that are still reading the first do not see the second.
  uint64_t slots[2][kRowThreads / kWarpSize];
};

struct JoinSums {
  template <typename Value>
  __device__ __forceinline__ Value operator()(Value a, Value b) const {
    return a + b;
  }
};

/// The larger one; NaN where one is.
struct JoinMaxima {
  template <typename Value>
  __device__ __forceinline__ Value operator()(Value a, Value b) const {
    return a > b || a != a ? a : b;
  }
};

template <bool kLong>
class RowTeam {
 public:
  static constexpr int kSize = kLong ? kRowThreads : kWarpSize;
  static constexpr int kTeams = kRowThreads / kSize;

  __device__ __forceinline__ RowTeam() : shared_(shared_memory<RowShared>()) {}

  /// This thread's place in its team.
  __device__ __forceinline__ int index() const { return static_cast<int>(threadIdx.x) % kSize; }

  /// Calls body(row) for the rows that fall to this team.
  template <typename Body>
  __device__ __forceinline__ void for_rows(int64_t rows, const Body& body) const {
    int64_t row = blockIdx.x * int64_t{kTeams} + threadIdx.x / static_cast<unsigned>(kSize);
    for (; row < rows; row += gridDim.x * int64_t{kTeams}) body(row);
  }

  /// Calls body(i) for this thread's places of a row of n.
  template <typename Body>
  __device__ __forceinline__ void for_entries(int64_t n, const Body& body) const {
#pragma unroll 4
    for (int64_t i = index(); i < n; i += kSize) body(i);
  }

  /// The values of all threads joined, in an order that is always the same; every thread gets the same bits.
  template <typename Value, typename Join>
  __device__ __forceinline__ Value join(Value value, const Join& joined) {
    static_assert(sizeof(Value) == sizeof(uint64_t));
    for (int distance = kWarpSize / 2; distance > 0; distance /= 2) {
      value = joined(value, __shfl_xor_sync(kWholeWarp, value, distance));
    }
    if constexpr (kLong) {
      auto* const slots = reinterpret_cast<Value*>(shared_.slots[turn_]);
      turn_ ^= 1;
      if (lane_index() == 0) slots[threadIdx.x / static_cast<unsigned>(kWarpSize)] = value;
      __syncthreads();
      value = slots[0];
      for (int warp = 1; warp < kRowThreads / kWarpSize; ++warp) value = joined(value, slots[warp]);
    }
    return value;
  }

  __device__ __forceinline__ double sum(double value) { return join(value, JoinSums{}); }

 private:
  RowShared& shared_;
  int turn_ = 0;
};

/// Starts the kernel for rows of their length: `kernels` answers it for std::bool_constant<whether they are long>.
template <typename Kernels, typename... Args>
Status launch_rows(const Kernels& kernels, int64_t rows, int64_t length, const Args&... args) {
  constexpr auto kShared = static_cast<int64_t>(sizeof(RowShared));
  if (length >= kLongRow) {
    return launch(kernels(std::true_type{}), {blocks_for(rows), kRowThreads, kShared}, args...);
  }
  const int64_t blocks = blocks_for(ceil_divide<int64_t>(rows, RowTeam<false>::kTeams));
  return launch(kernels(std::false_type{}), {blocks, kRowThreads, kShared}, args...);
}

}  // namespace statespace::cuda
