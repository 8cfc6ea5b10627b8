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

/// What kernels noted, which is forgotten then.
Status take_fault() {
  int32_t* const word = fault_word();
  if (word == nullptr || __atomic_exchange_n(word, 0, __ATOMIC_ACQ_REL) == 0) return Status::kOk;
  return Status::kIndexOutOfRange;
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

int32_t* fault_word() noexcept {
  // Memory of the host that the device reaches: nothing has to be copied to look at it.
  static int32_t* const word = [] {
    void* memory = nullptr;
    if (cudaHostAlloc(&memory, sizeof(int32_t), cudaHostAllocPortable | cudaHostAllocMapped) != cudaSuccess) {
      return static_cast<int32_t*>(nullptr);
    }
    auto* fresh = static_cast<int32_t*>(memory);
    *fresh = 0;
    return fresh;
  }();
  return word;
}

Status synchronize() noexcept {
  const Status status = status_of(cudaStreamSynchronize(stream));
  return status == Status::kOk ? take_fault() : status;
}

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

int32_t* fault_word() noexcept {
  static int32_t word = 0;
  return &word;
}

Status synchronize() noexcept { return take_fault(); }

#endif

}  // namespace statespace::cuda
