#include "cublas_lt.h"

#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <cstring>

#include "device.h"

namespace statespace::cuda {
namespace {

/// Appends to the text of `size` bytes, cut where that is full.
void append(char* text, size_t size, const char* first, const char* second) {
  const size_t used = std::strlen(text);
  if (used < size) std::snprintf(text + used, size - used, "%s%s%s", used > 0 ? "; " : "", first, second);
}

template <typename Function>
bool find(void* library, const char* name, Function& function) {
  void* symbol = dlsym(library, name);
  static_assert(sizeof symbol == sizeof function);
  std::memcpy(&function, &symbol, sizeof symbol);
  return symbol != nullptr;
}

bool find_all(void* library, CublasLt& f) {
  return find(library, "cublasLtCreate", f.create) && find(library, "cublasLtMatmulDescCreate", f.operation_create) &&
         find(library, "cublasLtMatmulDescDestroy", f.operation_destroy) &&
         find(library, "cublasLtMatmulDescSetAttribute", f.operation_set) &&
         find(library, "cublasLtMatrixLayoutCreate", f.layout_create) &&
         find(library, "cublasLtMatrixLayoutDestroy", f.layout_destroy) &&
         find(library, "cublasLtMatrixLayoutSetAttribute", f.layout_set) &&
         find(library, "cublasLtMatmulPreferenceCreate", f.preference_create) &&
         find(library, "cublasLtMatmulPreferenceDestroy", f.preference_destroy) &&
         find(library, "cublasLtMatmulPreferenceSetAttribute", f.preference_set) &&
         find(library, "cublasLtMatmulAlgoGetHeuristic", f.choose) && find(library, "cublasLtMatmul", f.multiply);
}

/// What the process found, once.
struct Library {
  CublasLt functions = {};
  char reason[1024] = "";
  bool found = false;

  Library() noexcept {
#if defined(__CUDACC__)
    static constexpr const char* kNames[] = {"libcublasLt.so.13", "libcublasLt.so.12"};
    found = load_cublas_lt(kNames, 2, functions, reason, sizeof reason);
    if (!found) {
      append(reason, sizeof reason, "install cuBLAS of CUDA 12 or 13, or name its folder in LD_LIBRARY_PATH", "");
    }
#else
    append(reason, sizeof reason, "CUDA is emulated", "");
#endif
  }
};

const Library& library() noexcept {
  static const Library instance;
  return instance;
}

std::atomic<bool> replaced = false;
std::atomic<const CublasLt*> replacement = nullptr;

/// Of one device. Threads that come at once may each make a handle: all of them are good.
struct DeviceHandle {
  std::atomic<void*> handle = nullptr;
  /// What made it, or failed to: other functions make other handles.
  std::atomic<int (*)(void**)> made_by = nullptr;
};
constexpr int kMostDevices = 64;
DeviceHandle device_handles[kMostDevices];

/// What the library last answered when it made a handle; 0 for success.
std::atomic<int> handle_status = 0;

}  // namespace

bool load_cublas_lt(const char* const* names, int count, CublasLt& functions, char* reason,
                    size_t reason_size) noexcept {
  if (reason_size > 0) reason[0] = '\0';
  for (int i = 0; i < count; ++i) {
    void* handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      const char* error = dlerror();
      append(reason, reason_size, error != nullptr ? error : names[i], error != nullptr ? "" : " cannot be loaded");
    } else if (!find_all(handle, functions)) {
      append(reason, reason_size, names[i], " lacks functions");
      dlclose(handle);
    } else {
      if (reason_size > 0) reason[0] = '\0';
      return true;
    }
  }
  functions = {};
  return false;
}

const CublasLt* cublas_lt() noexcept {
  if (replaced.load(std::memory_order_acquire)) return replacement.load(std::memory_order_acquire);
  return library().found ? &library().functions : nullptr;
}

void* cublas_lt_handle(const CublasLt& functions) noexcept {
  int device = 0;
#if defined(__CUDACC__)
  if (cudaGetDevice(&device) != cudaSuccess || device < 0 || device >= kMostDevices) return nullptr;
#endif
  DeviceHandle& entry = device_handles[device];
  if (entry.made_by.load(std::memory_order_acquire) != functions.create) {
    void* fresh = nullptr;
    const int status = functions.create(&fresh);
    handle_status.store(status, std::memory_order_release);
    entry.handle.store(status == 0 ? fresh : nullptr, std::memory_order_release);
    entry.made_by.store(functions.create, std::memory_order_release);
  }
  return entry.handle.load(std::memory_order_acquire);
}

const char* cublas_lt_absence() noexcept {
  if (cublas_lt() != nullptr) {
    const int status = handle_status.load(std::memory_order_acquire);
    if (status == 0) return "";
    static thread_local char text[64];
    std::snprintf(text, sizeof text, "cublasLtCreate answered %d", status);
    return text;
  }
  return replaced.load(std::memory_order_acquire) ? "cuBLASLt was turned off" : library().reason;
}

void set_cublas_lt(const CublasLt* functions) noexcept {
  replacement.store(functions, std::memory_order_release);
  replaced.store(true, std::memory_order_release);
}

}  // namespace statespace::cuda
