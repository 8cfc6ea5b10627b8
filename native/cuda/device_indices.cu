#include "device_indices.h"

#include "launch.h"

namespace statespace::cuda {
namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads) check_indices_kernel(IndexRange range, int32_t* refused, int32_t* fault) {
  for (int64_t i = blockIdx.x * int64_t{kThreads} + threadIdx.x; i < range.count; i += gridDim.x * int64_t{kThreads}) {
    const int32_t index = range.indices[i];
    if ((index >= range.low && index < range.high) || (range.has_ignored && index == range.ignored)) continue;
    atomicOr(refused, 1);
    atomicOr(fault, 1);
  }
}

/// Quadratic in the size of the batch, which is that of one decoding step.
__global__ void __launch_bounds__(kThreads) row_turns_kernel(const int32_t* rows, int64_t count, int32_t* next, int32_t* first) {
  for (int64_t b = blockIdx.x * int64_t{kThreads} + threadIdx.x; b < count; b += gridDim.x * int64_t{kThreads}) {
    const int32_t row = rows[b];
    int64_t after = b + 1, before = b - 1;
    while (row >= 0 && after < count && rows[after] != row) ++after;
    while (row >= 0 && before >= 0 && rows[before] != row) --before;
    next[b] = row >= 0 && after < count ? static_cast<int32_t>(after) : -1;
    first[b] = row < 0 || before < 0 ? 1 : 0;
  }
}

}  // namespace

Status IndexCheck::queue(std::initializer_list<IndexRange> ranges) noexcept {
  for (const IndexRange& range : ranges) {
    if (range.indices == nullptr || range.count == 0) continue;
    if (refused_ == nullptr) {
      refused_ = flag_.take<int32_t>(1);
      if (refused_ == nullptr) return flag_.status();
      const Status status = clear_device(refused_, sizeof(int32_t));
      if (status != Status::kOk) return status;
    }
    int32_t* fault = fault_word();
    if (fault == nullptr) return Status::kDeviceFailure;
    const GridShape grid = {blocks_for(ceil_divide<int64_t>(range.count, kThreads)), kThreads, 0};
    const Status status = launch(check_indices_kernel, grid, range, refused_, fault);
    if (status != Status::kOk) return status;
  }
  return Status::kOk;
}

Status BatchRows::queue(const int32_t* rows, int64_t count) noexcept {
  if (rows == nullptr || count == 0) return Status::kOk;
  auto* memory = memory_.take<int32_t>(2 * count);
  if (memory == nullptr) return memory_.status();
  turns_ = {rows, memory, memory + count};
  const GridShape grid = {blocks_for(ceil_divide<int64_t>(count, kThreads)), kThreads, 0};
  return launch(row_turns_kernel, grid, rows, count, memory, memory + count);
}

}  // namespace statespace::cuda
