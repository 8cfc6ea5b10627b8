/// Starting kernels on the stream of the calling thread.
#pragma once

#include <type_traits>

#include "device.h"
#include "device_memory.h"

namespace statespace::cuda {

/// One-dimensional grid: blocks of whole warps with `shared_bytes` of dynamic shared memory.
struct GridShape {
  int64_t blocks = 0;
  int threads = 0;
  int64_t shared_bytes = 0;
};

#if defined(__CUDACC__)
inline constexpr int64_t kMaxBlocks = int64_t{1} << 30;
#else
/// So few that small tests make blocks take several items, as grids beyond the device's limit do.
inline constexpr int64_t kMaxBlocks = 5;
#endif

/// Blocks for `items` pieces of work. A kernel takes the pieces blockIdx.x, blockIdx.x + gridDim.x, ...
constexpr int64_t blocks_for(int64_t items) { return items < kMaxBlocks ? items : kMaxBlocks; }

/// Takes the steps one after another as long as they succeed; the status of the last one taken.
template <typename... Steps>
Status in_order(const Steps&... steps) {
  Status status = Status::kOk;
  static_cast<void>((((status = steps()) == Status::kOk) && ...));
  return status;
}

#if defined(__CUDACC__)

/// Starts kernel(args...) in the order of the stream; kOk says that it was queued.
template <typename... Args>
Status launch(void (*kernel)(Args...), const GridShape& grid, const std::type_identity_t<Args>&... args) {
  if (grid.blocks == 0) return Status::kOk;
  if (grid.shared_bytes > 48 * 1024) {
    const cudaError_t allowed = cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                                                     cudaFuncAttributeMaxDynamicSharedMemorySize,
                                                     static_cast<int>(grid.shared_bytes));
    if (allowed != cudaSuccess) return status_of(allowed);
  }
  kernel<<<static_cast<unsigned>(grid.blocks), grid.threads, grid.shared_bytes, current_stream()>>>(args...);
  return status_of(cudaGetLastError());
}

#else

/// Runs kernel(args...) to its end.
template <typename... Args>
Status launch(void (*kernel)(Args...), const GridShape& grid, const std::type_identity_t<Args>&... args) {
  const auto body = [&] { kernel(args...); };
  using Body = decltype(body);
  const auto call = [](const void* closure) { (*static_cast<Body*>(closure))(); };
  return emulation::run_grid(grid.blocks, grid.threads, grid.shared_bytes, call, &body) ? Status::kOk
                                                                                       : Status::kDeviceFailure;
}

#endif

}  // namespace statespace::cuda
