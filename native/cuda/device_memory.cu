#include "device_memory.h"

#if !defined(__CUDACC__)
#include <cstdlib>
#endif

namespace statespace::cuda {
namespace {

/// Bytes of `count` values; -1 where no memory has that many.
int64_t byte_count(int64_t count, size_t size) {
  const auto most = std::numeric_limits<int64_t>::max() / static_cast<int64_t>(size);
  return count < 0 || count > most ? -1 : count * static_cast<int64_t>(size);
}

}  // namespace

#if defined(__CUDACC__)

namespace {
thread_local cudaStream_t stream = nullptr;
}

cudaStream_t current_stream() noexcept { return stream; }
void set_current_stream(cudaStream_t next) noexcept { stream = next; }

Status status_of(cudaError_t error) noexcept {
  switch (error) {
    case cudaSuccess:
      return Status::kOk;
    case cudaErrorMemoryAllocation:
      return Status::kOutOfMemory;
    case cudaErrorNoDevice:
    case cudaErrorInsufficientDriver:
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorUnsupportedPtxVersion:
      return Status::kUnsupported;
    default:
      return Status::kDeviceFailure;
  }
}

DeviceScratch::~DeviceScratch() {
  if (memory_ != nullptr) static_cast<void>(cudaFreeAsync(memory_, stream));
}

void* DeviceScratch::take_bytes(int64_t count, size_t size) noexcept {
  const int64_t bytes = byte_count(count, size);
  if (bytes < 0) {
    status_ = Status::kOutOfMemory;
  } else if (bytes > 0) {
    status_ = status_of(cudaMallocAsync(&memory_, static_cast<size_t>(bytes), stream));
  }
  return memory_;
}

Status copy_to_device(void* to, const void* from, size_t bytes) noexcept {
  return status_of(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream));
}

Status clear_device(void* memory, size_t bytes) noexcept {
  return status_of(cudaMemsetAsync(memory, 0, bytes, stream));
}

Status synchronize() noexcept { return status_of(cudaStreamSynchronize(stream)); }

#else

DeviceScratch::~DeviceScratch() { std::free(memory_); }

void* DeviceScratch::take_bytes(int64_t count, size_t size) noexcept {
  const int64_t bytes = byte_count(count, size);
  if (bytes != 0) memory_ = bytes < 0 ? nullptr : std::malloc(static_cast<size_t>(bytes));
  if (bytes != 0 && memory_ == nullptr) status_ = Status::kOutOfMemory;
  // What a kernel forgets to write shows as NaN.
  if (memory_ != nullptr) std::memset(memory_, 0xff, static_cast<size_t>(bytes));
  return memory_;
}

Status copy_to_device(void* to, const void* from, size_t bytes) noexcept {
  if (bytes > 0) std::memcpy(to, from, bytes);
  return Status::kOk;
}

Status clear_device(void* memory, size_t bytes) noexcept {
  if (bytes > 0) std::memset(memory, 0, bytes);
  return Status::kOk;
}

Status synchronize() noexcept { return Status::kOk; }

#endif

}  // namespace statespace::cuda
