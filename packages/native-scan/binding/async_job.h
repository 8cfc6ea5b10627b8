/// One kernel call on a worker thread of libuv, with the memory it works on.
///
/// Ordinary ArrayBuffers can be detached or shrunk while the call runs, so their data is copied in before and out
/// after it. Blocks of memory.h are used in place under a reference of their own, SharedArrayBuffers under a
/// reference to the view.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "memory.h"
#include "statespace/status.h"

namespace statespace::binding {

class AsyncJob {
 public:
  /// `cancel` is an Int32Array on a SharedArrayBuffer, or undefined.
  AsyncJob(napi_env env, napi_value cancel);
  ~AsyncJob();
  AsyncJob(const AsyncJob&) = delete;
  AsyncJob& operator=(const AsyncJob&) = delete;

  /// Where the kernel finds the `bytes` bytes at `byte_offset` of the typed array `view`, whose element 0 is at
  /// `data`; null when there is no memory. `read`: the kernel needs the present contents; `written`: the view
  /// gets the result.
  void* Stage(napi_value view, char* data, size_t byte_offset, size_t bytes, bool read, bool written);
  void Own(std::unique_ptr<char[]> memory) { held_.push_back(std::move(memory)); }

 private:
  friend napi_value StartJob(std::unique_ptr<AsyncJob> job, std::function<Status()> work);

  struct CopyBack {
    napi_ref view;
    size_t byte_offset;
    size_t bytes;
    const void* source;
  };

  static void Execute(napi_env env, void* data);
  static void Complete(napi_env env, napi_status status, void* data);
  bool Keep(napi_value value);
  int32_t WriteBack();
  bool Cancelled() const;

  napi_env env_;
  const int32_t* cancel_ = nullptr;
  std::vector<void*> copies_;
  std::vector<CopyBack> copy_backs_;
  std::vector<Block*> blocks_;
  std::vector<napi_ref> kept_;
  std::vector<std::unique_ptr<char[]>> held_;
  std::function<Status()> work_;
  napi_async_work handle_ = nullptr;
  napi_deferred deferred_ = nullptr;
  int32_t code_ = 0;
};

/// Queues `work`; answers a Promise of the result code, or the code itself when it cannot be queued.
napi_value StartJob(std::unique_ptr<AsyncJob> job, std::function<Status()> work);

}  // namespace statespace::binding
