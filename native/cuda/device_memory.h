/// Memory and streams of the device.
#pragma once

#include <cstddef>
#include <cstdint>

#include "device.h"
#include "statespace/sequence_view.h"

namespace statespace::cuda {

#if defined(__CUDACC__)
/// The stream of the calling thread; the default stream until one is set.
cudaStream_t current_stream() noexcept;
void set_current_stream(cudaStream_t stream) noexcept;

Status status_of(cudaError_t error) noexcept;
#endif

/// Memory that one call works with. It goes back in the order of the stream, so that kernels which were queued
/// before may still use it.
class DeviceScratch {
 public:
  DeviceScratch() = default;
  DeviceScratch(const DeviceScratch&) = delete;
  DeviceScratch& operator=(const DeviceScratch&) = delete;
  ~DeviceScratch();

  /// Room for `count` values; null when there is none, which status() tells. One call per object.
  template <typename Value>
  Value* take(int64_t count) noexcept {
    return static_cast<Value*>(take_bytes(count, sizeof(Value)));
  }
  Status status() const noexcept { return status_; }

 private:
  void* take_bytes(int64_t count, size_t size) noexcept;

  void* memory_ = nullptr;
  Status status_ = Status::kOk;
};

/// Copies from the host; `from` may be changed as soon as it returns.
Status copy_to_device(void* to, const void* from, size_t bytes) noexcept;

/// Sets bytes to zero, in the order of the stream.
Status clear_device(void* memory, size_t bytes) noexcept;

/// Waits for everything that the stream of this thread was given. kIndexOutOfRange when a kernel found an index outside
/// its range since the last call, of any thread.
Status synchronize() noexcept;

/// Where kernels note such an index, seen by the host and the device; null where that could not be had.
int32_t* fault_word() noexcept;

}  // namespace statespace::cuda
