#include "memory.h"

#include <cstdlib>
#include <mutex>
#include <new>
#include <unordered_map>
#include <vector>

#include "refusal.h"
#include "statespace/runtime.h"

namespace statespace::binding {

struct Block {
  void* memory;
  size_t bytes;
  int32_t references;
};

namespace {

/// What an ArrayBuffer holds of its block; outlives `release`, until the engine's finalizer has run.
struct Backing {
  Block* block;
};

struct Entry {
  Block* block;
  Backing* backing;
};

class Registry {
 public:
  /// A block with one reference; null when there is no memory.
  Block* Create(size_t bytes) {
    const std::lock_guard lock(mutex_);
    void* memory = TakeCached(bytes);
    if (memory == nullptr) memory = allocate(bytes);
    Block* block = memory == nullptr ? nullptr : new (std::nothrow) Block{memory, bytes, 1};
    if (block == nullptr) {
      deallocate(memory);
      return nullptr;
    }
    used_bytes_ += bytes;
    used_blocks_ += 1;
    if (used_bytes_ > peak_bytes_) peak_bytes_ = used_bytes_;
    return block;
  }

  void Expose(Block* block, Backing* backing) {
    const std::lock_guard lock(mutex_);
    live_[block->memory] = Entry{block, backing};
  }

  Block* Retain(const void* base) {
    const std::lock_guard lock(mutex_);
    const auto found = live_.find(base);
    if (found == live_.end()) return nullptr;
    found->second.block->references += 1;
    return found->second.block;
  }

  void Release(Block* block) {
    const std::lock_guard lock(mutex_);
    Drop(block);
  }

  /// Takes the block away from its ArrayBuffer; false when another way has done so.
  bool Withdraw(Backing* backing) {
    const std::lock_guard lock(mutex_);
    return WithdrawLocked(backing);
  }

  Backing* Find(const void* base) {
    const std::lock_guard lock(mutex_);
    const auto found = live_.find(base);
    return found == live_.end() ? nullptr : found->second.backing;
  }

  void Trim() {
    const std::lock_guard lock(mutex_);
    for (auto& [bytes, memories] : cache_) {
      for (void* memory : memories) deallocate(memory);
    }
    cache_.clear();
    cached_bytes_ = 0;
    peak_bytes_ = used_bytes_;
  }

  void Stats(double* out) {
    const std::lock_guard lock(mutex_);
    out[0] = static_cast<double>(used_bytes_);
    out[1] = static_cast<double>(cached_bytes_);
    out[2] = static_cast<double>(used_blocks_);
  }

 private:
  void* TakeCached(size_t bytes) {
    const auto found = cache_.find(bytes);
    if (found == cache_.end() || found->second.empty()) return nullptr;
    void* memory = found->second.back();
    found->second.pop_back();
    cached_bytes_ -= bytes;
    return memory;
  }

  bool WithdrawLocked(Backing* backing) {
    if (backing->block == nullptr) return false;
    live_.erase(backing->block->memory);
    Drop(backing->block);
    backing->block = nullptr;
    return true;
  }

  void Drop(Block* block) {
    if (--block->references > 0) return;
    used_bytes_ -= block->bytes;
    used_blocks_ -= 1;
    // Never more in the cache than was once in use together: reuse stays free, and a shrinking program shrinks.
    if (cached_bytes_ + block->bytes <= peak_bytes_) {
      cache_[block->bytes].push_back(block->memory);
      cached_bytes_ += block->bytes;
    } else {
      deallocate(block->memory);
    }
    delete block;
  }

  std::mutex mutex_;
  std::unordered_map<const void*, Entry> live_;
  std::unordered_map<size_t, std::vector<void*>> cache_;
  size_t used_bytes_ = 0;
  size_t cached_bytes_ = 0;
  size_t peak_bytes_ = 0;
  size_t used_blocks_ = 0;
};

Registry& registry() {
  static Registry* const instance = new Registry;
  return *instance;
}

void FinalizeBacking(napi_env, void*, void* hint) {
  Backing* backing = static_cast<Backing*>(hint);
  registry().Withdraw(backing);
  delete backing;
}

napi_value Code(napi_env env, Refusal reason) {
  napi_value value = nullptr;
  if (napi_create_int32(env, RefusalCode(reason, -1), &value) != napi_ok) return nullptr;
  return value;
}

bool FirstArgument(napi_env env, napi_callback_info info, napi_value* value) {
  size_t count = 1;
  return napi_get_cb_info(env, info, &count, value, nullptr, nullptr) == napi_ok && count >= 1;
}

}  // namespace

Block* RetainBlock(const void* base) { return registry().Retain(base); }

void ReleaseBlock(Block* block) { registry().Release(block); }

napi_value Allocate(napi_env env, napi_callback_info info) {
  napi_value argument;
  double bytes = 0;
  if (!FirstArgument(env, info, &argument) || napi_get_value_double(env, argument, &bytes) != napi_ok) {
    return Code(env, Refusal::kBadNumber);
  }
  if (!(bytes >= 1) || bytes > 0x1p47) return Code(env, Refusal::kBadNumber);

  Block* block = registry().Create(static_cast<size_t>(bytes));
  Backing* backing = block == nullptr ? nullptr : new (std::nothrow) Backing{block};
  if (backing == nullptr) {
    if (block != nullptr) ReleaseBlock(block);
    return Code(env, Refusal::kOutOfMemory);
  }
  registry().Expose(block, backing);
  napi_value buffer = nullptr;
  const napi_status status =
      napi_create_external_arraybuffer(env, block->memory, block->bytes, FinalizeBacking, backing, &buffer);
  if (status == napi_ok) return buffer;
  if (status == napi_no_external_buffers_allowed) {
    FinalizeBacking(env, nullptr, backing);  // the engine has not taken it over
    return Code(env, Refusal::kNoExternalBuffers);
  }
  // Too large for this engine: it throws, and calls the finalizer itself.
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending) {
    napi_value ignored;
    napi_get_and_clear_last_exception(env, &ignored);
  }
  return Code(env, Refusal::kOutOfMemory);
}

napi_value Release(napi_env env, napi_callback_info info) {
  napi_value buffer;
  void* base = nullptr;
  size_t length = 0;
  bool released = false;
  if (FirstArgument(env, info, &buffer) && napi_get_arraybuffer_info(env, buffer, &base, &length) == napi_ok &&
      base != nullptr && length > 0) {
    Backing* backing = registry().Find(base);
    // Once detached, no JavaScript value reaches the memory, so it may go before the finalizer runs.
    if (backing != nullptr && napi_detach_arraybuffer(env, buffer) == napi_ok) {
      released = registry().Withdraw(backing);
    }
  }
  napi_value result = nullptr;
  return napi_get_boolean(env, released, &result) == napi_ok ? result : nullptr;
}

napi_value TrimMemory(napi_env, napi_callback_info) {
  registry().Trim();
  trim_scratch();
  return nullptr;
}

napi_value MemoryStats(napi_env env, napi_callback_info) {
  double stats[3];
  registry().Stats(stats);
  napi_value result = nullptr;
  if (napi_create_array_with_length(env, 3, &result) != napi_ok) return nullptr;
  for (uint32_t i = 0; i < 3; ++i) {
    napi_value number;
    if (napi_create_double(env, stats[i], &number) != napi_ok) return nullptr;
    if (napi_set_element(env, result, i, number) != napi_ok) return nullptr;
  }
  return result;
}

}  // namespace statespace::binding
