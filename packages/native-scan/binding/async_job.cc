#include "async_job.h"

#include <cstring>

#include "refusal.h"
#include "statespace/runtime.h"

namespace statespace::binding {

AsyncJob::AsyncJob(napi_env env, napi_value cancel) : env_(env) {
  acquire_runtime();
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (cancel != nullptr &&
      napi_get_typedarray_info(env, cancel, &type, &length, &data, nullptr, nullptr) == napi_ok &&
      type == napi_int32_array && length >= 1 && data != nullptr && Keep(cancel)) {
    cancel_ = static_cast<const int32_t*>(data);
  }
}

AsyncJob::~AsyncJob() {
  for (const CopyBack& copy : copy_backs_) napi_delete_reference(env_, copy.view);
  for (napi_ref reference : kept_) napi_delete_reference(env_, reference);
  for (Block* block : blocks_) ReleaseBlock(block);
  for (void* copy : copies_) deallocate(copy);
  if (handle_ != nullptr) napi_delete_async_work(env_, handle_);
  release_runtime();
}

bool AsyncJob::Keep(napi_value value) {
  napi_ref reference = nullptr;
  if (napi_create_reference(env_, value, 1, &reference) != napi_ok) return false;
  kept_.push_back(reference);
  return true;
}

void* AsyncJob::Stage(napi_value view, char* data, size_t byte_offset, size_t bytes, bool read, bool written) {
  napi_value buffer = nullptr;
  if (napi_get_typedarray_info(env_, view, nullptr, nullptr, nullptr, &buffer, nullptr) != napi_ok) return nullptr;

  bool ordinary = false;
  if (napi_is_arraybuffer(env_, buffer, &ordinary) != napi_ok) return nullptr;
  // A SharedArrayBuffer can be neither detached nor shrunk.
  if (!ordinary) return Keep(view) ? data + byte_offset : nullptr;

  void* base = nullptr;
  size_t length = 0;
  if (napi_get_arraybuffer_info(env_, buffer, &base, &length) != napi_ok) return nullptr;
  if (Block* block = RetainBlock(base); block != nullptr) {
    blocks_.push_back(block);
    return data + byte_offset;
  }

  void* copy = allocate(bytes);
  if (copy == nullptr) return nullptr;
  copies_.push_back(copy);
  if (read) std::memcpy(copy, data + byte_offset, bytes);
  if (written) {
    napi_ref reference = nullptr;
    if (napi_create_reference(env_, view, 1, &reference) != napi_ok) return nullptr;
    copy_backs_.push_back({reference, byte_offset, bytes, copy});
  }
  return copy;
}

bool AsyncJob::Cancelled() const { return cancel_ != nullptr && __atomic_load_n(cancel_, __ATOMIC_RELAXED) != 0; }

void AsyncJob::Execute(napi_env, void* data) {
  AsyncJob* job = static_cast<AsyncJob*>(data);
  job->code_ = job->Cancelled() ? RefusalCode(Refusal::kCancelled, -1) : StatusCode(job->work_());
}

/// Copies results out; the views may have gone away meanwhile, so each is measured again.
int32_t AsyncJob::WriteBack() {
  for (const CopyBack& copy : copy_backs_) {
    napi_value view = nullptr;
    napi_typedarray_type type;
    size_t length = 0;
    void* data = nullptr;
    if (napi_get_reference_value(env_, copy.view, &view) != napi_ok || view == nullptr ||
        napi_get_typedarray_info(env_, view, &type, &length, &data, nullptr, nullptr) != napi_ok) {
      return RefusalCode(Refusal::kOutputLost, -1);
    }
    const size_t element = type == napi_float64_array ? 8 : type == napi_uint16_array ? 2 : 4;
    if (data == nullptr || length * element < copy.byte_offset + copy.bytes) {
      return RefusalCode(Refusal::kOutputLost, -1);
    }
    std::memcpy(static_cast<char*>(data) + copy.byte_offset, copy.source, copy.bytes);
  }
  return 0;
}

/// Runs on the JavaScript thread. During teardown Node-API calls answer errors; then only memory is given back.
void AsyncJob::Complete(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<AsyncJob> job(static_cast<AsyncJob*>(data));
  if (status == napi_cancelled) job->code_ = RefusalCode(Refusal::kCancelled, -1);
  if (job->code_ == 0) job->code_ = job->WriteBack();
  napi_value code = nullptr;
  if (napi_create_int32(env, job->code_, &code) == napi_ok) napi_resolve_deferred(env, job->deferred_, code);
}

napi_value StartJob(std::unique_ptr<AsyncJob> job, std::function<Status()> work) {
  const napi_env env = job->env_;
  job->work_ = std::move(work);
  napi_value name = nullptr;
  napi_value promise = nullptr;
  AsyncJob* raw = job.get();
  if (napi_create_string_utf8(env, "statespace", NAPI_AUTO_LENGTH, &name) == napi_ok &&
      napi_create_async_work(env, nullptr, name, AsyncJob::Execute, AsyncJob::Complete, raw, &raw->handle_) ==
          napi_ok &&
      napi_create_promise(env, &raw->deferred_, &promise) == napi_ok &&
      napi_queue_async_work(env, raw->handle_) == napi_ok) {
    job.release();  // NOLINT: Complete takes it over
    return promise;
  }
  napi_value code = nullptr;
  return napi_create_int32(env, RefusalCode(Refusal::kOutOfMemory, -1), &code) == napi_ok ? code : nullptr;
}

}  // namespace statespace::binding
